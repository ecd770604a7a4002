"""Managed clusters as the shortest tutorials make them, and the rules that refuse them."""

from tests.policy.programs import Declared, Program, Ref, program

SUBNETS = [
    Declared("aws:ec2/subnet:Subnet", letter, {"availabilityZone": f"eu-west-1{letter}", "cidrBlock": f"10.0.{n}.0/24"})
    for n, letter in enumerate("ab")
]


def eks() -> Program:
    """Two zones, public, no logs."""
    return program(
        *SUBNETS,
        Declared(
            "aws:eks/cluster:Cluster",
            "cluster",
            {
                "roleArn": "arn:aws:iam::123456789012:role/eks",
                "vpcConfig": {"subnetIds": [Ref(s.key) for s in SUBNETS]},
            },
        ),
    )


def aks() -> Program:
    """One pool, the defaults of everything else."""
    pool = {"name": "system", "mode": "System", "count": 1, "vmSize": "Standard_B2s"}
    return program(
        Declared(
            "azure-native:containerservice:ManagedCluster",
            "cluster",
            {"resourceGroupName": "group", "dnsPrefix": "cluster", "agentPoolProfiles": [pool]},
        )
    )


def gke() -> Program:
    """In one zone."""
    return program(
        Declared(
            "gcp:container/cluster:Cluster",
            "cluster",
            {"location": "europe-west1-b", "initialNodeCount": 1, "deletionProtection": False},
        )
    )


EVERY_CLOUD = {
    "apis-name-their-clients",
    "cluster-secrets-have-their-own-key",
    "clusters-log-the-control-plane",
    "clusters-span-zones",
    "somebody-is-told",
    "what-cannot-be-remade-refuses-deletion",
}
REFUSED_BY = {
    eks: EVERY_CLOUD | {"nodes-reach-the-api-in-private"},
    aks: EVERY_CLOUD
    | {
        "clusters-follow-a-release-channel",
        "clusters-have-an-uptime-agreement",
        "clusters-know-who-connects",
        "clusters-report-metrics",
    },
    gke: EVERY_CLOUD
    | {"clusters-follow-a-release-channel", "clusters-report-metrics", "nodes-reach-the-api-in-private"},
}
ADVISED_BY = {eks: {"clusters-leave-a-sick-zone"}, aks: set[str](), gke: set[str]()}
"""What is mandatory for a critical control plane alone."""
