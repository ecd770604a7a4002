"""The stand-in says no to a cluster where EKS, AWS Backup or Route 53 would."""

from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from providers.aws.connection import Aws
from providers.aws.kind import Made, Request
from providers.aws.kinds import KINDS
from providers.stand_in import auto_name

Refusal = (BotoCoreError, ClientError, ValueError)
TRUST = '{"Version": "2012-10-17", "Statement": []}'


def make(aws: Aws, token: str, **inputs: Any) -> Made:
    kind = next(kind for name, kind in KINDS.items() if name.endswith(f":{token}"))
    assert set(inputs) <= kind.inputs
    return kind.create(aws, Request(inputs=inputs, tags={"kube-ha:cluster": "test"} if kind.taggable else {}))


@pytest.fixture(scope="module")
def cluster(aws: Aws) -> dict[str, Any]:
    """A cluster that EKS would make; a test changes one thing."""
    vpc = make(aws, "Vpc", cidrBlock="10.77.0.0/16").id
    subnets = [
        make(aws, "Subnet", vpcId=vpc, availabilityZone=f"eu-west-1{letter}", cidrBlock=f"10.77.{number}.0/24").id
        for number, letter in enumerate("abc")
    ]
    role = make(aws, "Role", name="cluster", assumeRolePolicy=TRUST).outputs["arn"]
    key = make(aws, "Key", description="key", policy="{}", enableKeyRotation=True).outputs["arn"]
    return {
        "name": "prod",
        "roleArn": role,
        "vpcConfig": {"subnetIds": subnets, "endpointPrivateAccess": True, "endpointPublicAccess": False},
        "encryptionConfig": {"resources": ["secrets"], "provider": {"keyArn": key}},
        "accessConfig": {"authenticationMode": "API"},
        "controlPlaneScalingConfig": {"tier": "tier-xl"},
        "upgradePolicy": {"supportType": "EXTENDED"},
        "enabledClusterLogTypes": ["api", "audit"],
    }


@pytest.fixture(scope="module")
def made(aws: Aws, cluster: dict[str, Any]) -> Made:
    return make(aws, "Cluster", **cluster)


def test_what_is_made_is_what_eks_describes(aws: Aws, made: Made) -> None:
    found = aws("eks", "describe_cluster", name="prod")["cluster"]
    assert found["endpoint"] == made.outputs["endpoint"]
    assert found["logging"]["clusterLogging"] == [{"types": ["api", "audit"], "enabled": True}]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"controlPlaneScalingConfig": {"tier": "tier-xxl"}}, "got 'tier-xxl'; accepted: standard, tier-xl"),
        ({"upgradePolicy": {"supportType": "extended"}}, "got 'extended'; accepted: STANDARD, EXTENDED"),
        ({"accessConfig": {"authenticationMode": "IAM"}}, "got 'IAM'; accepted: API"),
        ({"enabledClusterLogTypes": ["apiserver"]}, "got 'apiserver'; accepted: api, audit"),
        ({"zonalShiftConfig": {"on": True}}, "Unknown parameter in zonalShiftConfig"),
        ({"name": "prod eks"}, "does not match"),
        ({"roleArn": "arn:aws:iam::123456789012:role/nobody"}, "nobody"),
    ],
)
def test_a_cluster_that_eks_would_refuse_is_refused(
    aws: Aws, cluster: dict[str, Any], change: dict[str, Any], says: str
) -> None:
    with pytest.raises(Refusal, match=says):
        make(aws, "Cluster", **{**cluster, "name": auto_name("other"), **change})


def test_a_cluster_in_one_zone_is_refused(aws: Aws, cluster: dict[str, Any]) -> None:
    config = {**cluster["vpcConfig"], "subnetIds": cluster["vpcConfig"]["subnetIds"][:1]}
    with pytest.raises(ValueError, match=r"in 1 zone \(eu-west-1a\); EKS wants two or more"):
        make(aws, "Cluster", **{**cluster, "name": "lonely", "vpcConfig": config})


def test_a_cluster_that_nobody_reaches_is_refused(aws: Aws, cluster: dict[str, Any]) -> None:
    config = {**cluster["vpcConfig"], "endpointPrivateAccess": False}
    with pytest.raises(ValueError, match="neither the private nor the public endpoint"):
        make(aws, "Cluster", **{**cluster, "name": "closed", "vpcConfig": config})


def test_a_policy_that_aws_does_not_keep_cannot_be_attached(aws: Aws, cluster: dict[str, Any]) -> None:
    make(aws, "RolePolicyAttachment", role="cluster", policyArn="arn:aws:iam::aws:policy/AmazonEKSClusterPolicy")
    with pytest.raises(ClientError, match="AmazonEKSClusterPolice"):
        make(aws, "RolePolicyAttachment", role="cluster", policyArn="arn:aws:iam::aws:policy/AmazonEKSClusterPolice")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"amiType": "AL2024_x86_64"}, "got 'AL2024_x86_64'; accepted: AL2_x86_64"),
        ({"capacityType": "CHEAP"}, "got 'CHEAP'; accepted: ON_DEMAND, SPOT"),
        ({"clusterName": "nobody"}, "No cluster found"),
        ({"nodeRepairConfig": {"enabled": "yes"}}, "Invalid type for parameter nodeRepairConfig.enabled"),
        ({"subnetIds": ["subnet-0"]}, "InvalidSubnetID"),
    ],
)
def test_nodes_that_eks_would_refuse_are_refused(
    aws: Aws, cluster: dict[str, Any], made: Made, change: dict[str, Any], says: str
) -> None:
    nodes = {
        "nodeGroupName": auto_name("nodes"),
        "clusterName": made.id,
        "nodeRoleArn": cluster["roleArn"],
        "subnetIds": cluster["vpcConfig"]["subnetIds"],
        "scalingConfig": {"minSize": 3, "desiredSize": 3, "maxSize": 3},
    }
    make(aws, "NodeGroup", **nodes)
    with pytest.raises(Refusal, match=says):
        make(aws, "NodeGroup", **{**nodes, "nodeGroupName": auto_name("nodes"), **change})


@pytest.mark.parametrize(
    ("token", "inputs", "says"),
    [
        (
            "Addon",
            {"addonName": "coredns", "resolveConflictsOnCreate": "REPLACE"},
            "got 'REPLACE'; accepted: OVERWRITE",
        ),
        (
            "AccessPolicyAssociation",
            {"principalArn": "a", "policyArn": "b", "accessScope": {"type": "all"}},
            "got 'all'",
        ),
    ],
)
def test_what_the_emulator_lacks_of_eks_is_held_against_its_model(
    aws: Aws, made: Made, token: str, inputs: dict[str, Any], says: str
) -> None:
    assert not next(kind for name, kind in KINDS.items() if name.endswith(f":{token}")).emulated
    with pytest.raises(BotoCoreError, match=says):
        make(aws, token, clusterName=made.id, **inputs)


def test_a_plan_for_a_vault_that_is_not_there_is_refused(aws: Aws, cluster: dict[str, Any]) -> None:
    rule = {
        "ruleName": "hourly",
        "targetVaultName": "vault",
        "schedule": "cron(0 * ? * * *)",
        "startWindow": 60,
        "completionWindow": 1440,
        "lifecycle": {"deleteAfter": 7},
    }
    with pytest.raises(ClientError, match="ResourceNotFound"):
        make(aws, "Plan", name="plan", rules=[rule])
    make(aws, "Vault", name="vault", kmsKeyArn=cluster["encryptionConfig"]["provider"]["keyArn"])
    plan = make(aws, "Plan", name="plan", rules=[rule]).id
    (found,) = aws("backup", "get_backup_plan", BackupPlanId=plan)["BackupPlan"]["Rules"]
    assert (found["ScheduleExpression"], found["Lifecycle"]["DeleteAfterDays"]) == ("cron(0 * ? * * *)", 7)
    with pytest.raises(BotoCoreError, match="Unknown parameter"):
        make(aws, "Plan", name="other", rules=[{**rule, "keep": 7}])


def test_a_health_check_asks_as_often_as_route_53_can(aws: Aws) -> None:
    check = {"type": "HTTPS", "fqdn": "shop.example.com", "port": 443, "resourcePath": "/", "failureThreshold": 3}
    identity = make(aws, "HealthCheck", **check, requestInterval=10).id
    found = aws("route53", "get_health_check", HealthCheckId=identity)["HealthCheck"]["HealthCheckConfig"]
    assert (found["RequestInterval"], found["FailureThreshold"]) == (10, 3)
    with pytest.raises(Refusal, match="RequestInterval"):
        make(aws, "HealthCheck", **check, requestInterval=5)
