"""IAM policy documents: what each kind of machine may do, and with what. Pure; values may be unknown yet.

An action has `*` for its resource only where the API cannot be narrowed: `READ_ONLY`, `SESSION_MANAGER`, and metrics,
which their namespace narrows. In a key's own policy `*` is that key.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Statement = dict[str, Any]
Text = Any
"""A string, or an output of one."""

OWN_GROUP: Final = (
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribeAutoScalingInstances",
    "autoscaling:DescribeLifecycleHooks",
)
OWN_VOLUME: Final = ("ec2:DescribeVolumes",)
ROUTES: Final = ("ec2:DescribeNetworkInterfaces", "ec2:DescribeRouteTables")
INSTANCES: Final = ("ec2:DescribeAvailabilityZones", "ec2:DescribeInstanceTopology", "ec2:DescribeInstances")
"""What the cloud controller manager asks for to tell Nodes what their machines are."""
READ_ONLY: Final = (*OWN_GROUP, *OWN_VOLUME, *ROUTES, *INSTANCES)
"""AWS offers no resource or condition for these."""

SESSION_MANAGER: Final = (
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
)

METRICS_NAMESPACE: Final = "kube-ha"
CLUSTER_TAG: Final = "kube-ha:cluster"
MACHINE_TAG: Final = "kube-ha:machine"
PODS_TAG: Final = "kube-ha:pods"
"""Marks the route tables that machines write the routes to their pods into."""
ROLE_TAG: Final = "kube-ha:role"
UID_TAG: Final = "kube-ha:uid"


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What the policy of a kind of machine is about."""

    partition: str
    region: str
    account: str
    cluster: str
    """Value of the tag that marks what is this cluster's."""
    bucket_arn: Text
    key_arn: Text
    secret_arns: Sequence[Text]
    carries_members: bool
    """Whether such a machine has a volume and a reserved address."""
    runs_controllers: bool
    """Whether the cluster's controllers run on it: the cloud's too."""
    route_table_arns: Sequence[Text]
    """Empty for machines without pods."""
    worker_token_arn: Text | None
    """Of the secret that such a machine keeps a token for workers in; None where it does not."""

    def arn(self, service: str, resource: str) -> str:
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"


def document(*statements: Statement) -> dict[str, Any]:
    """A policy of these statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


class NotYet:
    """Stands for an ARN before the thing is there."""

    def apply(self, change: Any) -> "NotYet":
        """What follows from it is not known either."""
        return self


def outline(policy: Mapping[str, Any]) -> str:
    """A document without what is not known before things are made: what a component declares to the policy pack."""
    return json.dumps(policy, default=lambda _: "not known yet")


def allow(actions: Sequence[str], resources: Any, condition: Mapping[str, Any] | None = None) -> Statement:
    """A statement that allows."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resources}
    return {**statement, "Condition": condition} if condition else statement


def assumed_by(service: str, *actions: str) -> str:
    """The trust policy of a role that a service takes; `actions` where it does more than assume it."""
    action = list(actions) or "sts:AssumeRole"
    statement = {"Effect": "Allow", "Action": action, "Principal": {"Service": service}}
    return json.dumps(document(statement))


def write_logs(group_arn: Text) -> Statement:
    """Writing to one log group."""
    actions = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
    return allow(actions, [group_arn, group_arn.apply(lambda arn: f"{arn}:*")])


def machine(about: Machine) -> dict[str, Any]:
    """Everything that the agent calls, no more."""
    return document(
        *objects(about),
        *secrets(about),
        allow(["kms:Decrypt", "kms:GenerateDataKey"], about.key_arn),
        *own_group(about),
        *(own_volume(about) if about.carries_members else ()),
        *(pod_routes(about) if about.route_table_arns else ()),
        *((allow(INSTANCES, "*"),) if about.runs_controllers else ()),
        allow(["cloudwatch:PutMetricData"], "*", {"StringEquals": {"cloudwatch:namespace": METRICS_NAMESPACE}}),
        allow(SESSION_MANAGER, "*"),
    )


def objects(about: Machine) -> list[Statement]:
    """Agent and artifacts are read; what the members agree on, and snapshots, are written too. Locks stay locked."""

    def under(prefix: str) -> Text:
        return about.bucket_arn.apply(lambda arn: f"{arn}/{prefix}/*")

    written = ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:PutObject", "s3:PutObjectRetention"]
    return [
        allow(["s3:ListBucket"], about.bucket_arn),
        allow(["s3:GetObject"], [under("agent"), under("artifacts"), under("clusters")]),
        allow(written, under("clusters")),
    ]


def secrets(about: Machine) -> list[Statement]:
    """Those that are read, and the one that is kept for workers."""
    kept = [] if about.worker_token_arn is None else [about.worker_token_arn]
    writing = [allow(["secretsmanager:PutSecretValue"], kept)] if kept else []
    return [allow(["secretsmanager:GetSecretValue"], [*about.secret_arns, *kept]), *writing]


def worker(region: str, token_arn: Text, bucket_arn: Text, key_arn: Text) -> dict[str, Any]:
    """A worker reads the token that it joins with, and binaries; whatever runs on it may speak with its role."""

    def opened(service: str, context: str, value: Text) -> Statement:
        only = {"kms:ViaService": f"{service}.{region}.amazonaws.com", f"kms:EncryptionContext:{context}": value}
        return allow(["kms:Decrypt"], key_arn, {"StringEquals": only})

    return document(
        allow(["secretsmanager:GetSecretValue"], token_arn),
        opened("secretsmanager", "SecretARN", token_arn),
        allow(["s3:GetObject"], bucket_arn.apply(lambda arn: f"{arn}/artifacts/*")),
        # The bucket's own key stands between its objects and the stack's.
        opened("s3", "aws:s3:arn", bucket_arn),
    )


def own_group(about: Machine) -> list[Statement]:
    """Finding oneself, asking for one's own replacement, and saying that one is ready to end."""
    actions = ["autoscaling:CompleteLifecycleAction", "autoscaling:TerminateInstanceInAutoScalingGroup"]
    groups = about.arn("autoscaling", "autoScalingGroup:*:autoScalingGroupName/*")
    ours = {"StringEquals": {f"autoscaling:ResourceTag/{CLUSTER_TAG}": about.cluster}}
    return [allow(OWN_GROUP, "*"), allow(actions, groups, ours)]


def own_volume(about: Machine) -> list[Statement]:
    """A member's volume and its address, among those of this cluster."""
    instances, volumes = about.arn("ec2", "instance/*"), about.arn("ec2", "volume/*")
    interfaces = about.arn("ec2", "network-interface/*")
    return [
        allow(OWN_VOLUME, "*"),
        allow(["ec2:AttachVolume"], [instances, volumes], tagged(about)),
        allow(["ec2:AssignPrivateIpAddresses"], interfaces, tagged(about)),
    ]


def pod_routes(about: Machine) -> list[Statement]:
    """The routes to a node's pods, and that its interface takes what is for them."""
    interfaces = about.arn("ec2", "network-interface/*")
    return [
        allow(ROUTES, "*"),
        allow(["ec2:CreateRoute", "ec2:DeleteRoute", "ec2:ReplaceRoute"], list(about.route_table_arns)),
        allow(["ec2:ModifyNetworkInterfaceAttribute"], interfaces, tagged(about)),
    ]


def tagged(about: Machine) -> dict[str, Any]:
    """The condition that something of EC2 is this cluster's."""
    return {"StringEquals": {f"aws:ResourceTag/{CLUSTER_TAG}": about.cluster}}


def key(partition: str, region: str, account: str) -> dict[str, Any]:
    """The KMS key's policy: the account's owner decides by IAM; EBS, CloudWatch and its alarms use it for us."""

    def service(principal: str, condition: Mapping[str, Any]) -> Statement:
        actions = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
        return {**allow(actions, "*", condition), "Principal": {"Service": principal}}

    root = {"AWS": f"arn:{partition}:iam::{account}:root"}
    source = {"StringEquals": {"aws:SourceAccount": account}}
    group = f"arn:{partition}:logs:{region}:{account}:log-group:*"
    # As in the policy of AWS's own EBS key: whoever of this account may use EBS, so the role of Auto Scaling, which in
    # a new account is not there yet to be named.
    volumes = {"StringEquals": {"kms:CallerAccount": account, "kms:ViaService": f"ec2.{region}.amazonaws.com"}}
    ebs = ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
    return document(
        {**allow(["kms:*"], "*"), "Principal": root},
        {**allow(ebs, "*", volumes), "Principal": {"AWS": "*"}},
        service(f"logs.{region}.amazonaws.com", {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": group}}),
        service("cloudwatch.amazonaws.com", source),
    )


def tls_only(bucket_arn: Text) -> dict[str, Any]:
    """A bucket's policy that refuses what comes unencrypted."""
    refused = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [bucket_arn, bucket_arn.apply(lambda arn: f"{arn}/*")],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return document(refused)
