"""Networks: Compute Engine's own requests."""

from typing import Final

from providers.gcp.discovery import Method
from providers.gcp.kind import kind, self_link
from providers.gcp.request import Form, To

COMPUTE: Final = "compute.v1"
LINK: Final = self_link("compute/v1")
IN_PROJECT: Final = {"project": "{project}"}
IN_REGION: Final = {**IN_PROJECT, "region": "{region}"}

KINDS: Final = {
    "gcp:compute/network:Network": kind(
        Form(
            method=Method(COMPUTE, "networks.insert"),
            parameters=IN_PROJECT,
            mapping={"routingMode": To("routingConfig.routingMode")},
        ),
        "projects/{project}/global/networks/{name}",
        outputs=LINK,
        fixed="name project autoCreateSubnetworks description",
    ),
    "gcp:compute/subnetwork:Subnetwork": kind(
        Form(
            method=Method(COMPUTE, "subnetworks.insert"),
            parameters=IN_REGION,
            # That there is a block switches the log on.
            mapping={"logConfig": To("logConfig", lambda block: {"enable": True, **block})},
        ),
        "projects/{project}/regions/{region}/subnetworks/{name}",
        outputs=lambda identity, inputs: {**LINK(identity, inputs), "gatewayAddress": "10.77.0.1"},
        fixed="name project region network description",
    ),
    "gcp:compute/router:Router": kind(
        Form(method=Method(COMPUTE, "routers.insert"), parameters=IN_REGION),
        "projects/{project}/regions/{region}/routers/{name}",
        outputs=LINK,
        fixed="name project region network",
    ),
    "gcp:compute/routerNat:RouterNat": kind(
        Form(method=Method(COMPUTE, "routers.patch"), parameters={**IN_REGION, "router": "{router}"}, within="nats.0"),
        "{project}/{region}/{router}/{name}",
        fixed="name project region router",
        needs="projects/{project}/regions/{region}/routers/{router}",
    ),
}
