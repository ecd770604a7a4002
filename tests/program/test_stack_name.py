"""A stack's name that a cloud would refuse as the beginning of a resource's is refused first; no other is."""

import re
from importlib import import_module
from typing import Any

import pytest

from components.clouds import Cloud
from components.settings import SettingsError
from components.stack_name import LONGEST, check
from tests.program.recorder import Registration
from tests.program.stacks import NAMES, settings_of

AUTOMATIC = 8
"""What Pulumi adds to a name of its own choice: `-1a2b3c4`, on Azure `1a2b3c4d`."""

LETTERS = r"[A-Za-z][A-Za-z0-9-]*"
TAKEN = {
    # Elastic Load Balancing, IAM, EKS, AWS Backup, Amazon S3: the references of their APIs
    "aws:lb/loadBalancer:LoadBalancer": (32, r"(?!internal-)[A-Za-z0-9][A-Za-z0-9-]*"),
    "aws:lb/targetGroup:TargetGroup": (32, LETTERS),
    "aws:iam/role:Role": (64, r"[\w+=,.@-]+"),
    "aws:iam/instanceProfile:InstanceProfile": (128, r"[\w+=,.@-]+"),
    "aws:eks/cluster:Cluster": (100, r"[0-9A-Za-z][A-Za-z0-9_-]*"),
    "aws:eks/nodeGroup:NodeGroup": (63, r"[0-9A-Za-z][A-Za-z0-9_-]*"),
    "aws:backup/vault:Vault": (50, r"[a-zA-Z0-9_-]{2,}"),
    "aws:s3/bucket:Bucket": (63, r"[a-z0-9][a-z0-9-]+"),
    "aws:ec2/launchTemplate:LaunchTemplate": (125, r"[a-zA-Z0-9().\-/_]{3,}"),
    # "Naming rules and restrictions for Azure resources"
    "azure-native:resources:ResourceGroup": (90, LETTERS),
    "azure-native:containerservice:ManagedCluster": (63, LETTERS),
    "azure-native:keyvault:Vault": (24, r"(?!.*--)[a-zA-Z][a-zA-Z0-9-]+"),
    "azure-native:storage:StorageAccount": (24, r"[a-z0-9]{3,}"),
    "azure-native:dataprotection:BackupVault": (50, LETTERS),
    "azure-native:monitor:AzureMonitorWorkspace": (44, LETTERS),
    "azure-native:monitor:DataCollectionEndpoint": (44, LETTERS),
    "azure-native:monitor:DataCollectionRule": (64, LETTERS),
    "azure-native:operationalinsights:Workspace": (63, LETTERS),
    "azure-native:compute:DiskEncryptionSet": (80, LETTERS),
    "azure-native:network:VirtualNetwork": (64, LETTERS),
    # container v1, compute v1, iam v1
    "gcp:container/cluster:Cluster": (40, r"[a-z]([-a-z0-9]*[a-z0-9])?"),
    "gcp:container/nodePool:NodePool": (40, r"[a-z]([-a-z0-9]*[a-z0-9])?"),
    "gcp:compute/network:Network": (63, r"[a-z]([-a-z0-9]*[a-z0-9])?"),
    "gcp:compute/subnetwork:Subnetwork": (63, r"[a-z]([-a-z0-9]*[a-z0-9])?"),
    "gcp:compute/routerNat:RouterNat": (63, r"[a-z]([-a-z0-9]*[a-z0-9])?"),
    "gcp:kms/keyRing:KeyRing": (63, r"[a-zA-Z0-9_-]+"),
    "gcp:pubsub/topic:Topic": (255, r"(?!goog)[A-Za-z][\w.~+%-]+"),
}
"""Type of a resource → what its cloud takes as a name: how long, and how."""

GIVEN = {
    "azure-native:containerservice:ManagedCluster": ("dnsPrefix", 54, r"[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?"),
    "azure-native:monitor:ActionGroup": ("groupShortName", 12, r".+"),
    "gcp:serviceaccount/account:Account": ("accountId", 30, r"[a-z]([-a-z0-9]*[a-z0-9])"),
}
"""The same of what the program itself names."""

IN_A_CLOUD = [name for name in NAMES if settings_of(name).cloud is not Cloud.LOCAL]
LONG = "stack-of-the-whole-house"


def registered(stack: str, name: str) -> list[Registration]:
    """What a stack of the repository registers under another name."""
    settings = settings_of(stack)
    found: list[Registration] = import_module(f"tests.{settings.cloud}.stacks").register(name, settings)
    return found


@pytest.mark.parametrize("stack", IN_A_CLOUD)
def test_the_longest_name_that_is_accepted_is_one_that_the_cloud_takes(stack: str) -> None:
    assert len(LONG) == LONGEST
    check(LONG, settings_of(stack).cloud)
    of_interest = 0
    for made in registered(stack, LONG):
        if made.type in TAKEN:
            longest, taken = TAKEN[made.type]
            assert len(made.name) + AUTOMATIC <= longest, made
            assert re.fullmatch(taken, made.name), made
            of_interest += 1
        if made.type in GIVEN:
            key, longest, taken = GIVEN[made.type]
            assert len(made.inputs[key]) <= longest, made
            assert re.fullmatch(taken, made.inputs[key]), made
    assert of_interest


@pytest.mark.parametrize("stack", NAMES)
def test_the_stacks_of_the_repository_may_be_called_as_they_are(stack: str) -> None:
    check(stack, settings_of(stack).cloud)


@pytest.mark.parametrize(
    ("name", "cloud", "says"),
    [
        ("production-of-the-company", Cloud.AWS, "got 'production-of-the-company', 25 characters; accepted: up to 24,"),
        ("Prod-aks", Cloud.AZURE, "got 'Prod-aks'; accepted: lower-case letters, digits and single hyphens"),
        ("prod_gke", Cloud.GCP, "got 'prod_gke'; accepted"),
        ("prod--aks", Cloud.AZURE, "got 'prod--aks'; accepted"),
        ("prod-", Cloud.AWS, "got 'prod-'; accepted"),
        ("1st", Cloud.GCP, "got '1st'; accepted"),
        ("prod.aws", Cloud.AWS, "got 'prod.aws'; accepted"),
        ("internal-aws", Cloud.AWS, "got 'internal-aws'; on AWS no load balancer's name begins with internal-."),
    ],
)
def test_a_name_that_a_cloud_would_refuse_is_refused_with_what_is_accepted(name: str, cloud: Any, says: str) -> None:
    with pytest.raises(SettingsError, match=f"^stack name: {re.escape(says)}"):
        check(name, cloud)


def test_only_aws_has_a_use_for_names_that_begin_with_internal() -> None:
    check("internal-gke", Cloud.GCP)
