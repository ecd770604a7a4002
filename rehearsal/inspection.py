"""What the emulated cloud holds after `up`, asked of it as any client would: not what the program says it wanted."""

import json
from collections.abc import Iterator
from typing import Any, Final

from components.node.health import LOAD_BALANCER
from components.topology import Topology
from providers.aws.connection import Aws
from rehearsal.scene import InspectionError

TARGET_ATTRIBUTES: Final = {
    "deregistration_delay.connection_termination.enabled": "true",
    "deregistration_delay.timeout_seconds": "30",
    "preserve_client_ip.enabled": "false",
}

NARROWABLE: Final = (
    "kms:", "s3:", "secretsmanager:", "ec2:A", "ec2:C", "ec2:M", "ec2:R",
    "autoscaling:C", "autoscaling:R", "autoscaling:T",
)  # fmt: skip
"""Beginnings of actions that AWS lets a policy bind to resources."""


class Inspection:
    """Looks at everything of a stack in an emulator that holds nothing else."""

    def __init__(self, aws: Aws, topology: Topology) -> None:
        self.aws, self.topology = aws, topology

    def __call__(self) -> list[str]:
        """What was found, in words.

        Raises:
            InspectionError: something is not as promised.
        """
        wrong = [
            *self.subnets(),
            *self.groups(),
            *self.volumes(),
            *self.templates(),
            *self.targets(),
            *self.bucket(),
            *self.policies(),
        ]
        if wrong:
            raise InspectionError("\n".join(wrong))
        zones = len(self.topology.zones)
        return [
            f"subnets in {zones} zone{'s' if zones > 1 else ''}",
            "groups of the right size",
            "volumes and roots encrypted",
            *(["the load balancer asks /readyz"] if self.topology.load_balancer else []),
            "bucket private, versioned, encrypted",
            "no policy with a star where AWS can be narrowed",
        ]

    def subnets(self) -> Iterator[str]:
        found = self.aws("ec2", "describe_subnets", Filters=[{"Name": "tag-key", "Values": ["kube-ha:cluster"]}])
        zones = {subnet["AvailabilityZone"] for subnet in found["Subnets"]}
        if zones != set(self.topology.zones):
            yield f"subnets are in {', '.join(sorted(zones))}"
        for subnet in found["Subnets"]:
            if subnet["MapPublicIpOnLaunch"]:
                yield f"{subnet['SubnetId']} gives its machines public addresses"

    def groups(self) -> Iterator[str]:
        groups = self.aws("autoscaling", "describe_auto_scaling_groups")["AutoScalingGroups"]
        machines = sum(len(group["Instances"]) for group in groups)
        if machines != self.topology.machines:
            yield f"{machines} machines run, {self.topology.machines} should"
        for group in groups:
            if group["HealthCheckType"] != "EC2":
                yield f"{group['AutoScalingGroupName']} judges its machines by {group['HealthCheckType']}"
        zones = {instance["AvailabilityZone"] for group in groups for instance in group["Instances"]}
        if zones != set(self.topology.zones):
            yield f"machines are in {', '.join(sorted(zones))}"

    def volumes(self) -> Iterator[str]:
        named = [{"Name": "tag-key", "Values": ["kube-ha:machine"]}]
        volumes = self.aws("ec2", "describe_volumes", Filters=named)["Volumes"]
        if len(volumes) != len(self.topology.members):
            yield f"{len(volumes)} volumes for {len(self.topology.members)} members"
        for volume in volumes:
            if not volume["Encrypted"] or volume["VolumeType"] != "gp3" or volume["Iops"] < 3000:
                yield f"{volume['VolumeId']}: {volume['VolumeType']}, encrypted {volume['Encrypted']}"

    def templates(self) -> Iterator[str]:
        for template in self.aws("ec2", "describe_launch_templates")["LaunchTemplates"]:
            identity = template["LaunchTemplateId"]
            versions = self.aws("ec2", "describe_launch_template_versions", LaunchTemplateId=identity)
            for version in versions["LaunchTemplateVersions"]:
                data = version["LaunchTemplateData"]
                if data["MetadataOptions"]["HttpTokens"] != "required":
                    yield f"{template['LaunchTemplateName']}: metadata without a token"
                if not all(
                    str(mapping["Ebs"]["Encrypted"]).lower() == "true" for mapping in data["BlockDeviceMappings"]
                ):
                    yield f"{template['LaunchTemplateName']}: root not encrypted"

    def targets(self) -> Iterator[str]:
        groups = self.aws("elbv2", "describe_target_groups")["TargetGroups"]
        if bool(groups) is not self.topology.load_balancer:
            yield f"{len(groups)} target groups"
        check = LOAD_BALANCER["aws"]
        for group in groups:
            asked = group["HealthCheckProtocol"], group["HealthCheckPath"], group["HealthCheckIntervalSeconds"]
            if asked != ("HTTPS", "/readyz", check.interval_seconds):
                yield f"the load balancer's check is {asked}"
            if (group["HealthyThresholdCount"], group["UnhealthyThresholdCount"]) != (check.threshold, check.threshold):
                yield "the load balancer's thresholds are others"
            found = self.aws("elbv2", "describe_target_group_attributes", TargetGroupArn=group["TargetGroupArn"])[
                "Attributes"
            ]
            values = {pair["Key"]: pair["Value"] for pair in found}
            for name, value in TARGET_ATTRIBUTES.items():
                if values.get(name) != value:
                    yield f"target group: {name} is {values.get(name)}"

    def bucket(self) -> Iterator[str]:
        (bucket,) = (found["Name"] for found in self.aws("s3", "list_buckets")["Buckets"])
        if self.aws("s3", "get_bucket_versioning", Bucket=bucket).get("Status") != "Enabled":
            yield "bucket: not versioned"
        block = self.aws("s3", "get_public_access_block", Bucket=bucket)["PublicAccessBlockConfiguration"]
        if not all(block.values()):
            yield f"bucket: {block}"
        rules = self.aws("s3", "get_bucket_encryption", Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        if rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] != "aws:kms":
            yield "bucket: not encrypted under the stack's key"
        if "aws:SecureTransport" not in self.aws("s3", "get_bucket_policy", Bucket=bucket)["Policy"]:
            yield "bucket: reachable without TLS"
        if self.topology.snapshots.locked:
            lock = self.aws("s3", "get_object_lock_configuration", Bucket=bucket)["ObjectLockConfiguration"]
            if lock["ObjectLockEnabled"] != "Enabled":
                yield "bucket: objects cannot be locked"

    def policies(self) -> Iterator[str]:
        for role in self.aws("iam", "list_roles")["Roles"]:
            for name in self.aws("iam", "list_role_policies", RoleName=role["RoleName"])["PolicyNames"]:
                found = self.aws("iam", "get_role_policy", RoleName=role["RoleName"], PolicyName=name)
                document: Any = found["PolicyDocument"]
                statements = (json.loads(document) if isinstance(document, str) else document)["Statement"]
                for statement in statements:
                    yield from bare(role["RoleName"], statement)


def bare(role: str, statement: dict[str, Any]) -> Iterator[str]:
    """What a statement allows on everything although AWS could bind it to something."""
    for action in statement["Action"]:
        if "*" in action:
            yield f"{role}: {action}"
        if statement["Resource"] == "*" and action.startswith(NARROWABLE):
            yield f"{role}: {action} on everything"
