"""What a control plane needs to come back, and not to be taken away by mistake."""

from collections.abc import Iterator
from typing import Final

from policy.clusters import AKS, EKS, GKE, MANAGED
from policy.resource import Resource
from policy.rule import CRITICAL_ONLY, Config, Framework, Identifier, Severity, checkov, resource_rule

AWS_GROUP: Final = "aws:autoscaling/group:Group"
GCP_GROUPS: Final = (
    "gcp:compute/instanceGroupManager:InstanceGroupManager",
    "gcp:compute/regionInstanceGroupManager:RegionInstanceGroupManager",
)
AWS_KEY: Final = "aws:kms/key:Key"
GCP_KEY: Final = "gcp:kms/cryptoKey:CryptoKey"
PAID_TIERS: Final = ("Standard", "Premium")


@resource_rule(
    types=(AWS_GROUP, *GCP_GROUPS),
    severity=Severity.CRITICAL,
    satisfy="AWS: healthCheckType EC2. GCP: no autoHealingPolicies on masters and members.",
)
def groups_trust_the_machines_own_check(group: Resource, config: Config) -> Iterator[str]:
    """A group that judges masters by their API kills all of them when etcd's quorum is lost, and the data with them."""
    if not group.in_control_plane:
        return
    if group.is_a(AWS_GROUP):
        kind = group.properties.text("healthCheckType") or "EC2"
        if kind != "EC2":
            yield f"healthCheckType is {kind}; set EC2: only the load balancer looks at readiness."
    elif group.properties.has("autoHealingPolicies"):
        yield "autoHealingPolicies replace machines by a health check; leave them out."


@resource_rule(
    types=(*MANAGED, AWS_KEY, GCP_KEY),
    severity=Severity.HIGH,
    satisfy="EKS and GKE: deletionProtection. AKS and keys: ResourceOptions(protect=True).",
)
def what_cannot_be_remade_refuses_deletion(resource: Resource, config: Config) -> Iterator[str]:
    """A managed cluster takes all its objects along, a key everything that it ever encrypted: snapshots first."""
    flag = resource.properties.flag("deletionProtection") if resource.is_a(EKS, GKE) else None
    # GKE's is on unless it is switched off (pulumi-gcp, container.Cluster).
    if not resource.protect and flag is not True and not (resource.is_a(GKE) and flag is None):
        how = "deletionProtection" if resource.is_a(EKS, GKE) else "protect"
        yield f"nothing keeps it from being deleted; set {how}."


@resource_rule(
    types=(EKS,),
    severity=Severity.MEDIUM,
    satisfy="Set zonalShiftConfig.enabled.",
    levels=CRITICAL_ONLY,
)
def clusters_leave_a_sick_zone(cluster: Resource, config: Config) -> Iterator[str]:
    """A zone that is half broken is worse than one that is gone; a zonal shift takes traffic away from it."""
    if cluster.properties.flag("zonalShiftConfig.enabled") is not True:
        yield "zonalShiftConfig.enabled is not set; set it to true."


@resource_rule(
    types=(AKS,),
    severity=Severity.HIGH,
    satisfy="Set sku.tier to Standard or Premium.",
    identifiers=checkov("CKV_AZURE_170"),
)
def clusters_have_an_uptime_agreement(cluster: Resource, config: Config) -> Iterator[str]:
    """A free AKS control plane is made for trying out: fewer replicas, no agreement on its uptime."""
    tier = cluster.properties.text("sku.tier")
    if tier not in PAID_TIERS:
        yield f"sku.tier is {tier or 'not set'}; set Standard or Premium."


@resource_rule(
    types=(AKS, GKE),
    severity=Severity.MEDIUM,
    satisfy="AKS: autoUpgradeProfile.upgradeChannel. GKE: releaseChannel.channel.",
    identifiers=(*checkov("CKV_AZURE_171", "CKV_GCP_70"), Identifier(Framework.CIS_GKE, "5.5.4")),
)
def clusters_follow_a_release_channel(cluster: Resource, config: Config) -> Iterator[str]:
    """A cluster that nobody upgrades is upgraded by force, in the cloud's own time, when its version ends."""
    path, unset = (
        ("autoUpgradeProfile.upgradeChannel", "none")
        if cluster.is_a(AKS)
        else ("releaseChannel.channel", "UNSPECIFIED")
    )
    channel = cluster.properties.text(path)
    if channel in ("", unset):
        yield f"{path} is {channel or 'not set'}; choose a channel."
