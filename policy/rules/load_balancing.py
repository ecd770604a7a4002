"""How clients find a master that serves, and how fast they are led away from one that does not."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from components.declaration import READINESS_PATH
from components.node.health import API_PORT
from policy import declared
from policy.clusters import AKS
from policy.properties import Properties
from policy.resource import CONTROL_PLANE, Resource
from policy.rule import Config, Severity, checkov, resource_rule

TARGET_GROUP: Final = "aws:lb/targetGroup:TargetGroup"
AWS_BALANCER: Final = "aws:lb/loadBalancer:LoadBalancer"
AZURE_BALANCER: Final = "azure-native:network:LoadBalancer"
AZURE_ADDRESS: Final = "azure-native:network:PublicIPAddress"
GCP_CHECK: Final = "gcp:compute/healthCheck:HealthCheck"
GCP_REGION_CHECK: Final = "gcp:compute/regionHealthCheck:RegionHealthCheck"
LOCAL_GROUP: Final = "local:index:MachineGroup"
CHECKED: Final = (CONTROL_PLANE, TARGET_GROUP, AZURE_BALANCER, GCP_CHECK, GCP_REGION_CHECK)


@dataclass(frozen=True)
class HealthCheck:
    """A health check in one form for all clouds."""

    protocol: str
    path: str
    interval: float | None
    threshold: float | None

    @property
    def detection_seconds(self) -> float | None:
        """After how long a master that stopped answering gets nothing new."""
        return None if self.interval is None or self.threshold is None else self.interval * self.threshold


def api_checks(resource: Resource) -> Iterator[HealthCheck]:
    """The health checks of a resource that ask API servers; others are none of our business."""
    given = resource.properties
    if resource.is_a(CONTROL_PLANE):
        if given.has("loadBalancer"):
            yield check(given.group("loadBalancer.healthCheck"), "protocol", "path", "intervalSeconds", "threshold")
    elif resource.is_a(TARGET_GROUP):
        if given.number("port") == API_PORT:
            yield check(given.group("healthCheck"), "protocol", "path", "interval", "unhealthyThreshold")
    elif resource.is_a(AZURE_BALANCER):
        for probe in given.groups("probes"):
            if probe.number("port") == API_PORT:
                yield check(probe, "protocol", "requestPath", "intervalInSeconds", "probeThreshold")
    else:
        yield from gcp_checks(given)


def check(group: Properties, protocol: str, path: str, interval: str, threshold: str) -> HealthCheck:
    return HealthCheck(group.text(protocol).upper(), group.text(path), group.number(interval), group.number(threshold))


def gcp_checks(given: Properties) -> Iterator[HealthCheck]:
    """GCP's have a group for each protocol, with the port in it."""
    for protocol in ("https", "http", "tcp", "ssl"):
        group = given.group(f"{protocol}HealthCheck")
        if group.number("port") == API_PORT:
            interval, threshold = given.number("checkIntervalSec"), given.number("unhealthyThreshold")
            yield HealthCheck(protocol.upper(), group.text("requestPath"), interval, threshold)


@resource_rule(
    types=CHECKED,
    severity=Severity.HIGH,
    satisfy=f"Check HTTPS {READINESS_PATH} on port {API_PORT}.",
)
def health_checks_ask_for_readiness(resource: Resource, config: Config) -> Iterator[str]:
    """A master accepts TCP connections before it can serve, while it cannot, and while it ends: only /readyz tells."""
    for found in api_checks(resource):
        if (found.protocol, found.path) != ("HTTPS", READINESS_PATH):
            yield f"asks {found.protocol or 'nothing'} {found.path}".rstrip() + f"; ask HTTPS {READINESS_PATH}."


@resource_rule(
    types=CHECKED,
    severity=Severity.HIGH,
    satisfy="Lower the check's interval or its threshold.",
    schema={
        "seconds": {
            "type": "number",
            "exclusiveMinimum": 0,
            "default": 10,
            "description": "Interval times threshold at most: what the slowest cloud's balancer can do.",
        }
    },
)
def dead_masters_leave_in_time(resource: Resource, config: Config) -> Iterator[str]:
    """Until a dead master is out of the load balancer, one of three new connections goes to nobody."""
    for found in api_checks(resource):
        seconds = found.detection_seconds
        if seconds is not None and seconds > config["seconds"]:
            product = f"{found.interval:g} s times {found.threshold:g} is {seconds:g} s"
            yield f"{product}; {config['seconds']:g} s is the most."


@resource_rule(
    types=(CONTROL_PLANE,),
    severity=Severity.HIGH,
    satisfy="Take both from components.node.health.",
)
def shutdowns_outlast_health_checks(plane: Resource, config: Config) -> Iterator[str]:
    """A master that ends serves until no load balancer sends it anything new, and is not killed before it is done."""
    given = plane.properties
    delay, grace = given.number("shutdownDelaySeconds"), given.number("gracePeriodSeconds")
    for found in api_checks(plane):
        seconds = found.detection_seconds or 0
        if delay is None or delay <= seconds:
            yield f"shutdown delay {delay or 0:g} s against {seconds:g} s of detection; make it longer."
    if delay is not None and grace is not None and grace <= delay:
        yield f"grace period {grace:g} s ends before the shutdown delay of {delay:g} s; make it longer."


@resource_rule(
    types=(CONTROL_PLANE,),
    severity=Severity.CRITICAL,
    satisfy="Use the scenario's load balancer.",
)
def several_masters_have_a_balancer(plane: Resource, config: Config) -> Iterator[str]:
    """Clients have one address; if that is a master's, the others are there for nobody."""
    count = len(declared.masters(plane))
    if declared.self_managed(plane) and count > 1 and not plane.properties.has("loadBalancer"):
        yield f"{count} masters and no load balancer; declare one."


@resource_rule(
    types=(AWS_BALANCER, LOCAL_GROUP, AZURE_BALANCER, AZURE_ADDRESS, AKS),
    severity=Severity.HIGH,
    satisfy=(
        "AWS: enableCrossZoneLoadBalancing. Azure: the Standard SKU, whose addresses span zones. "
        "Local: balancers in two zones."
    ),
    identifiers=checkov("CKV_AWS_152"),
)
def balancers_span_zones(balancer: Resource, config: Config) -> Iterator[str]:
    """A balancer that ends with its zone, or reaches only masters of its own, makes a zone's loss everybody's."""
    given = balancer.properties
    if balancer.is_a(AWS_BALANCER):
        if given.text("loadBalancerType") == "network" and given.flag("enableCrossZoneLoadBalancing") is not True:
            yield "enableCrossZoneLoadBalancing is not set; set it to true."
    elif balancer.is_a(LOCAL_GROUP):
        zones = {slot.text("zone") for slot in given.groups("slots")}
        if given.text("role") == "balancer" and len(zones) < 2:
            yield f"balancers stand in {len(zones)} zone(s); put them into two."
    elif balancer.is_a(AKS):
        if given.text("networkProfile.loadBalancerSku").lower() == "basic":
            yield "networkProfile.loadBalancerSku is basic; set standard."
    elif given.text("sku.name") not in ("Standard", "StandardV2", "Gateway"):
        yield f"sku.name is {given.text('sku.name') or 'not set'}; set Standard."


@resource_rule(
    types=(AWS_BALANCER,),
    severity=Severity.HIGH,
    satisfy="Set enableDeletionProtection.",
    identifiers=checkov("CKV_AWS_150"),
)
def balancers_refuse_deletion(balancer: Resource, config: Config) -> Iterator[str]:
    """The balancer's name is in every kubeconfig and every kubelet: a new one is another name."""
    if balancer.properties.flag("enableDeletionProtection") is not True and not balancer.protect:
        yield "enableDeletionProtection is not set; set it to true."
