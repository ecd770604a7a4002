"""Clusters, their nodes and their backups: the requests of Kubernetes Engine and of Backup for GKE."""

from base64 import b64encode
from typing import Any, Final

from providers.gcp.discovery import Method
from providers.gcp.kind import kind, self_link
from providers.gcp.request import Form, To, by_name, only
from providers.stand_in import Properties

IN_LOCATION: Final = "projects/{project}/locations/{location}"
ENDPOINT: Final = "10.77.16.2"
PUBLIC_ENDPOINT: Final = "203.0.113.10"


def flag(value: Any) -> Any:
    """Terraform's `TRUE` and `FALSE` of what is true, false or not said; anything else stays, to be refused."""
    return {"TRUE": True, "FALSE": False}.get(value, value)


def exclusion(block: Properties) -> dict[str, Any]:
    return {{"exclusionOptions": "maintenanceExclusionOptions"}.get(name, name): item for name, item in block.items()}


def cluster_outputs(identity: str, inputs: Properties) -> Properties:
    """What GKE says of a cluster that is there."""
    private = inputs.get("privateClusterConfig", {})
    inside = bool(private.get("enablePrivateEndpoint"))
    addresses = {"privateEndpoint": ENDPOINT, "publicEndpoint": "" if inside else PUBLIC_ENDPOINT, "peeringName": ""}
    authority = {"clusterCaCertificate": b64encode(b"certificate of " + identity.encode()).decode()}
    return {
        **self_link("container/v1")(identity, inputs),
        "endpoint": ENDPOINT if inside else PUBLIC_ENDPOINT,
        "masterAuth": {**inputs.get("masterAuth", {}), **authority, "clientCertificate": "", "clientKey": ""},
        "privateClusterConfig": {**private, **addresses},
        "masterVersion": f"{inputs.get('minMasterVersion', '1.36')}.1-gke.1000",
    }


def protection(state: Properties) -> str:
    on = state.get("deletionProtection", True)
    return "deletionProtection is true; set it to false first, or delete the cluster by hand" if on else ""


KINDS: Final = {
    "gcp:container/cluster:Cluster": kind(
        Form(
            method=Method("container.v1", "projects.locations.clusters.create"),
            parameters={"parent": IN_LOCATION},
            within="cluster",
            own=frozenset({"deletionProtection", "removeDefaultNodePool"}),
            mapping={
                "datapathProvider": To("networkConfig.datapathProvider"),
                "dnsConfig": To("networkConfig.dnsConfig"),
                "enableLegacyAbac": To("legacyAbac.enabled"),
                "enableShieldedNodes": To("shieldedNodes.enabled"),
                "loggingConfig.enableComponents": To("componentConfig.enableComponents"),
                "maintenancePolicy.maintenanceExclusions": To(
                    "window.maintenanceExclusions", by_name("exclusionName", exclusion)
                ),
                "maintenancePolicy.recurringWindow": To("window.recurringWindow"),
                "maintenancePolicy.recurringWindow.endTime": To("window.endTime"),
                "maintenancePolicy.recurringWindow.startTime": To("window.startTime"),
                "minMasterVersion": To("initialClusterVersion"),
                "monitoringConfig.enableComponents": To("componentConfig.enableComponents"),
                "monitoringConfig.managedPrometheus": To("managedPrometheusConfig"),
                "networkingMode": To(
                    "ipAllocationPolicy.useIpAliases", lambda mode: mode == "VPC_NATIVE" or mode, shared=True
                ),
                "nodeLocations": To("locations"),
                "nodePoolDefaults.nodeConfigDefaults.insecureKubeletReadonlyPortEnabled": To(
                    "nodeKubeletConfig.insecureKubeletReadonlyPortEnabled", flag
                ),
            },
        ),
        f"{IN_LOCATION}/clusters/{{name}}",
        outputs=cluster_outputs,
        fixed="name project location network subnetwork ipAllocationPolicy networkingMode datapathProvider "
        "initialNodeCount nodeConfig",
        guarded=protection,
    ),
    "gcp:container/nodePool:NodePool": kind(
        Form(
            method=Method("container.v1", "projects.locations.clusters.nodePools.create"),
            parameters={"parent": f"{IN_LOCATION}/clusters/{{cluster}}"},
            within="nodePool",
            mapping={
                "nodeConfig": To("config"),
                "nodeCount": To("initialNodeCount", shared=True),
                "nodeDrainConfigs": To("nodeDrainConfig", only),
                "nodeLocations": To("locations"),
            },
        ),
        f"{IN_LOCATION}/clusters/{{cluster}}/nodePools/{{name}}",
        fixed="name project location cluster",
        needs=f"{IN_LOCATION}/clusters/{{cluster}}",
    ),
    "gcp:gkebackup/backupPlan:BackupPlan": kind(
        Form(
            method=Method("gkebackup.v1", "projects.locations.backupPlans.create"),
            parameters={"parent": IN_LOCATION, "backupPlanId": "{name}"},
        ),
        f"{IN_LOCATION}/backupPlans/{{name}}",
        outputs=lambda identity, inputs: {"uid": identity, "state": "READY"},
        fixed="name project location cluster",
        labelled=True,
    ),
}
