"""Who can reach the control plane."""

from collections.abc import Iterator
from typing import Final

from components.node.health import API_PORT
from policy.clusters import AKS, EKS, GKE, MANAGED
from policy.firewalls import FIREWALLS, is_world, openings
from policy.properties import Properties
from policy.resource import CONTROL_PLANE, Resource, Stack
from policy.rule import ALWAYS, Config, Framework, Identifier, Severity, checkov, resource_rule, stack_rule
from policy.rules.backups import AZURE_STORAGE, GCS, S3, keeps_snapshots

SSH_PORT: Final = 22
ETCD_PORTS: Final = (2379, 2380)
"""Clients and peers (IANA's etcd-client and etcd-server)."""

LAUNCH_TEMPLATE: Final = "aws:ec2/launchTemplate:LaunchTemplate"
INSTANCE: Final = "aws:ec2/instance:Instance"
GCP_TEMPLATE: Final = "gcp:compute/instanceTemplate:InstanceTemplate"
ACCESS_BLOCK: Final = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
BLOCKS: Final = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")


def open_ports(firewall: Resource, *ports: int) -> Iterator[str]:
    """One line for each of these ports that everybody may reach."""
    for port in ports:
        for opening in openings(firewall):
            if opening.has(port) and (source := opening.world()):
                yield f"port {port} is open to {source}; name the networks that need it, or close it."
                break


@resource_rule(
    types=FIREWALLS,
    severity=Severity.CRITICAL,
    satisfy="Remove the rule: machines need no SSH here, and the clouds have session services of their own.",
    levels=ALWAYS,
    identifiers=checkov("CKV_AWS_24", "CKV_AZURE_10", "CKV_GCP_2"),
)
def nobody_has_ssh_from_everywhere(firewall: Resource, config: Config) -> Iterator[str]:
    """A master's shell is the cluster; it is tried by the whole internet within minutes of being reachable."""
    yield from open_ports(firewall, SSH_PORT)


@resource_rule(
    types=FIREWALLS,
    severity=Severity.CRITICAL,
    satisfy="Let only masters and members reach etcd, by their security group or the machines' network.",
    levels=ALWAYS,
)
def etcd_is_not_exposed(firewall: Resource, config: Config) -> Iterator[str]:
    """etcd has no users and no audit: who reaches it with a stolen certificate owns every object."""
    yield from open_ports(firewall, *ETCD_PORTS)


@resource_rule(
    types=(CONTROL_PLANE, *FIREWALLS, *MANAGED),
    severity=Severity.CRITICAL,
    satisfy=(
        "Ours: kube-ha:loadBalancer.cidrs. EKS: publicAccessCidrs, or endpointPublicAccess false. "
        "AKS: authorizedIPRanges, or a private cluster. GKE: masterAuthorizedNetworksConfig."
    ),
    levels=ALWAYS,
    identifiers=(
        *checkov("CKV_AWS_38", "CKV_AZURE_6", "CKV_GCP_20"),
        Identifier(Framework.CIS_EKS, "5.4.1"),
        Identifier(Framework.CIS_AKS, "5.4.1"),
        Identifier(Framework.CIS_GKE, "5.6.3"),
    ),
)
def apis_name_their_clients(resource: Resource, config: Config) -> Iterator[str]:
    """An API server that the whole internet reaches is one unpatched hole, or one leaked token, from being lost."""
    given = resource.properties
    if resource.is_a(EKS):
        yield from eks_clients(given)
    elif resource.is_a(AKS):
        yield from aks_clients(given)
    elif resource.is_a(GKE):
        yield from gke_clients(given)
    elif resource.is_a(CONTROL_PLANE):
        if given.flag("loadBalancer.public"):
            yield from clients("loadBalancer.cidrs", given.texts("loadBalancer.cidrs"))
    else:
        yield from open_ports(resource, API_PORT)


def eks_clients(cluster: Properties) -> Iterator[str]:
    if cluster.flag("vpcConfig.endpointPublicAccess") is not False:
        yield from clients("vpcConfig.publicAccessCidrs", cluster.texts("vpcConfig.publicAccessCidrs"))


def aks_clients(cluster: Properties) -> Iterator[str]:
    if cluster.flag("apiServerAccessProfile.enablePrivateCluster") is not True:
        path = "apiServerAccessProfile.authorizedIPRanges"
        yield from clients(path, cluster.texts(path))


def gke_clients(cluster: Properties) -> Iterator[str]:
    if cluster.flag("privateClusterConfig.enablePrivateEndpoint"):
        return
    path = "masterAuthorizedNetworksConfig"
    if cluster.any(path) is None:
        yield f"{path} is not set, so everybody may connect; set it."
    for block in cluster.groups(f"{path}.cidrBlocks"):
        if is_world(block.text("cidrBlock")):
            yield f"{path} lets in {block.text('cidrBlock')}; name the networks of your clients."


def clients(path: str, cidrs: object) -> Iterator[str]:
    listed = list(cidrs) if isinstance(cidrs, list | tuple) else []
    if not listed:
        yield f"{path} is not set, so everybody may connect; name the networks of your clients."
    for source in filter(is_world, listed):
        yield f"{path} lets in {source}; name the networks of your clients."


@resource_rule(
    types=(EKS, GKE),
    severity=Severity.HIGH,
    satisfy="EKS: vpcConfig.endpointPrivateAccess. GKE: privateClusterConfig.enablePrivateNodes.",
    identifiers=(
        *checkov("CKV_GCP_25", "CKV_GCP_64"),
        Identifier(Framework.CIS_EKS, "5.4.2"),
        Identifier(Framework.CIS_GKE, "5.6.5"),
    ),
)
def nodes_reach_the_api_in_private(cluster: Resource, config: Config) -> Iterator[str]:
    """Nodes that reach their API over the internet are lost with it: with a NAT gateway, a route, or a CIDR list."""
    path = "vpcConfig.endpointPrivateAccess" if cluster.is_a(EKS) else "privateClusterConfig.enablePrivateNodes"
    if cluster.properties.flag(path) is not True:
        yield f"{path} is not set; set it to true."


@resource_rule(
    types=(LAUNCH_TEMPLATE, INSTANCE, GCP_TEMPLATE, AKS),
    severity=Severity.HIGH,
    satisfy="Put machines into private subnets behind a NAT gateway, and reach them through the load balancer.",
    identifiers=checkov("CKV_AWS_88", "CKV_AZURE_143"),
)
def machines_have_no_public_address(resource: Resource, config: Config) -> Iterator[str]:
    """A machine with a public address is one firewall rule away from the internet."""
    given = resource.properties
    if resource.is_a(AKS):
        places = [(pool, "enableNodePublicIP") for pool in given.groups("agentPoolProfiles")]
    elif resource.is_a(INSTANCE):
        places = [(given, "associatePublicIpAddress")]
    else:
        places = [(card, "associatePublicIpAddress") for card in given.groups("networkInterfaces")]
    for group, path in places:
        if group.flag(path):
            yield f"{group.named(path)} is true; leave it out."
        elif resource.is_a(GCP_TEMPLATE) and group.any("accessConfigs"):
            yield f"{group.named('accessConfigs')} gives a public address; leave it out."


@stack_rule(
    types=(*S3, GCS, AZURE_STORAGE),
    severity=Severity.CRITICAL,
    satisfy=(
        "AWS: a BucketPublicAccessBlock with all four. GCP: publicAccessPrevention enforced. "
        "Azure: allowBlobPublicAccess false."
    ),
    levels=ALWAYS,
    identifiers=checkov("CKV2_AWS_6", "CKV_GCP_114", "CKV_AZURE_190"),
)
def snapshot_buckets_are_private(bucket: Resource, stack: Stack, config: Config) -> Iterator[str]:
    """A snapshot has every secret of the cluster in it."""
    if not keeps_snapshots(bucket):
        return
    if bucket.is_a(GCS):
        if bucket.properties.text("publicAccessPrevention") != "enforced":
            yield "publicAccessPrevention is not enforced; set it to enforced."
    elif bucket.is_a(AZURE_STORAGE):
        if bucket.properties.flag("allowBlobPublicAccess") is not False:
            yield "allowBlobPublicAccess is not false; set it to false."
    else:
        blocks = list(stack.about(bucket, "bucket", ACCESS_BLOCK))
        missing = [name for name in BLOCKS if not any(block.properties.flag(name) for block in blocks)]
        if missing:
            yield f"public access is not blocked by {', '.join(missing)}; add a BucketPublicAccessBlock with all four."
