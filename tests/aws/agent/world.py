"""An AWS with machines of a stack, each with the role that the stack gives it, and an emulator that judges calls."""

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from providers.aws.connection import Aws
from tests.aws.stacks import ACCOUNT, of

REGION = "eu-west-1"
ZONE = "eu-west-1a"
SUBNET = "10.77.16.0/20"
UID = "0123456789abcdef"
BUCKET = "stack"
CLUSTER = "small-aws"
"""Also the stack whose masters' policy the machines have: one that carries members and pods."""
POLICY = "machine"


@dataclass
class World:
    """What is there beside the machines."""

    url: str
    owner: Aws
    """Of the account, who is not judged: while it asks, nobody is."""
    subnet: str
    table: str
    template: str
    roles: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Role → its policy."""

    def ask(self, service: str, operation: str, **parameters: Any) -> Any:
        """What the account's owner asks for."""
        judge(self.url, calls=False)
        try:
            return self.owner(service, operation, **parameters)
        finally:
            judge(self.url, calls=True)

    def role(self, name: str, policy: dict[str, Any]) -> dict[str, str]:
        """A role with a policy; credentials for it, as the metadata service has them."""
        trust = json.dumps({"Version": "2012-10-17", "Statement": [assumable()]})
        self.ask("iam", "create_role", RoleName=name, AssumeRolePolicyDocument=trust)
        self.allow(name, policy)
        arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
        keys = self.ask("sts", "assume_role", RoleArn=arn, RoleSessionName=name)["Credentials"]
        return {
            "AccessKeyId": keys["AccessKeyId"],
            "SecretAccessKey": keys["SecretAccessKey"],
            "Token": keys["SessionToken"],
            "Expiration": "2099-01-01T00:00:00Z",
        }

    def allow(self, role: str, policy: dict[str, Any]) -> None:
        """Give a role this policy in place of the one that it has."""
        document = json.dumps(policy)
        self.ask("iam", "put_role_policy", RoleName=role, PolicyName=POLICY, PolicyDocument=document)
        self.roles[role] = policy

    @contextmanager
    def without(self, role: str, action: str) -> Iterator[None]:
        """Within this, a role may do all that it could, but not `action`."""
        whole = self.roles[role]
        left = [(statement, [one for one in statement["Action"] if one != action]) for statement in whole["Statement"]]
        statements = [{**statement, "Action": actions} for statement, actions in left if actions]
        self.allow(role, {**whole, "Statement": statements})
        try:
            yield
        finally:
            self.allow(role, whole)

    def launch(self, name: str, count: int = 1) -> list[str]:
        """A group with a hook for machines that end; its instances."""
        self.ask(
            "autoscaling",
            "create_auto_scaling_group",
            AutoScalingGroupName=name,
            MinSize=count,
            MaxSize=count,
            VPCZoneIdentifier=self.subnet,
            LaunchTemplate={"LaunchTemplateId": self.template, "Version": "1"},
        )
        self.ask(
            "autoscaling",
            "put_lifecycle_hook",
            AutoScalingGroupName=name,
            LifecycleHookName="leave",
            LifecycleTransition="autoscaling:EC2_INSTANCE_TERMINATING",
        )
        found = self.ask("autoscaling", "describe_auto_scaling_groups", AutoScalingGroupNames=[name])
        return [str(instance["InstanceId"]) for instance in found["AutoScalingGroups"][0]["Instances"]]

    def interface(self, instance: str) -> dict[str, Any]:
        """An instance's network interface."""
        found = self.ask("ec2", "describe_instances", InstanceIds=[instance])
        interface: dict[str, Any] = found["Reservations"][0]["Instances"][0]["NetworkInterfaces"][0]
        return interface


def judge(url: str, *, calls: bool) -> None:
    """Have the emulator judge calls by IAM from now on, or take whoever calls for the owner."""
    order(url, "reset-auth", b"0" if calls else b"inf")


def forget(url: str) -> None:
    """Have the emulator be as it was when it started."""
    order(url, "reset", b"")
    judge(url, calls=False)


def order(url: str, what: str, content: bytes) -> None:
    """Ask the emulator itself for something, not AWS."""
    plain = {"Content-Type": "text/plain"}
    asked = urllib.request.Request(f"{url}/moto-api/{what}", content, plain, method="POST")  # noqa: S310 - ours
    urllib.request.urlopen(asked).close()  # noqa: S310 - as above


def assumable() -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*"}


def policy(stack: str, role: str) -> dict[str, Any]:
    """What the stack allows machines of a role, with its bucket and its secrets named as they are here."""
    text: str = of(stack, "iam.RolePolicy")[f"{stack}-{role}"].inputs["policy"]
    rendered: dict[str, Any] = json.loads(
        text.replace(f"arn:aws:aws:s3/bucket:Bucket:{stack}", f"arn:aws:s3:::{BUCKET}").replace(
            f"arn:aws:aws:secretsmanager/secret:Secret:{stack}-",
            f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:kube-ha/{UID}/",
        )
    )
    return rendered


def tags(kind: str, **more: str) -> list[dict[str, Any]]:
    """Of something of the cluster."""
    pairs = {"kube-ha:cluster": CLUSTER, **{f"kube-ha:{key}": value for key, value in more.items()}}
    return [{"ResourceType": kind, "Tags": [{"Key": key, "Value": value} for key, value in pairs.items()]}]


def make(url: str) -> World:
    """Network, bucket, key and a secret."""
    owner = Aws(url, REGION)
    vpc = owner("ec2", "create_vpc", CidrBlock="10.77.0.0/16")["Vpc"]["VpcId"]
    subnet = owner("ec2", "create_subnet", VpcId=vpc, CidrBlock=SUBNET, AvailabilityZone=ZONE)["Subnet"]["SubnetId"]
    table = owner("ec2", "create_route_table", VpcId=vpc, TagSpecifications=tags("route-table", pods="routed"))
    template = owner(
        "ec2",
        "create_launch_template",
        LaunchTemplateName="machines",
        LaunchTemplateData={"ImageId": "ami-0abc", "InstanceType": "m7a.large"},
    )["LaunchTemplate"]["LaunchTemplateId"]
    owner("secretsmanager", "create_secret", Name=f"kube-ha/{UID}/etcd-peer-ca", SecretString='{"key": "k"}')
    owner("secretsmanager", "create_secret", Name=f"kube-ha/{UID}/worker-token")
    owner(
        "s3",
        "create_bucket",
        Bucket=BUCKET,
        CreateBucketConfiguration={"LocationConstraint": REGION},
        ObjectLockEnabledForBucket=True,
    )
    key = owner("kms", "create_key")["KeyMetadata"]["KeyId"]
    owner("kms", "create_alias", AliasName=f"alias/kube-ha/{CLUSTER}", TargetKeyId=key)
    return World(url, owner, subnet, table["RouteTable"]["RouteTableId"], template)


def volume(world: World, machine: str) -> str:
    """A member's volume."""
    made = world.ask(
        "ec2", "create_volume", AvailabilityZone=ZONE, Size=20, TagSpecifications=tags("volume", machine=machine)
    )
    return str(made["VolumeId"])


def entries(world: World, instance: str, **own: str) -> dict[str, str]:
    """What the metadata service tells a machine, with tags of its own."""
    interface = world.interface(instance)
    mac = interface["MacAddress"]
    about = f"network/interfaces/macs/{mac}"
    given = {"cluster": CLUSTER, "uid": UID, **own}
    return {
        "instance-id": instance,
        "placement/availability-zone": ZONE,
        "placement/region": REGION,
        "local-ipv4": interface["PrivateIpAddress"],
        "mac": mac,
        f"{about}/interface-id": interface["NetworkInterfaceId"],
        f"{about}/subnet-ipv4-cidr-block": SUBNET,
        **{f"tags/instance/kube-ha:{key}": value for key, value in given.items()},
    }


def disk(folder: Path, identity: str) -> None:
    """Let an attached volume appear where Debian shows it."""
    (folder / f"nvme-Amazon_Elastic_Block_Store_{identity.replace('-', '')}").touch()
