"""AWS, by its SDK and the instance metadata service, with nothing but the machine's own role."""

import json
import os
import time
from base64 import b64encode
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.config import Config
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from components.node.agent.cloud import Cloud, CloudError, Instance, NotFoundError
from components.node.agent.clouds import aws_network, aws_slots
from components.node.agent.clouds.aws_errors import translated
from components.node.agent.clouds.aws_objects import Objects
from components.node.agent.clouds.aws_routes import PodRoutes, filters
from components.node.agent.clouds.aws_silence import Silence
from components.node.agent.clouds.ec2_metadata import Metadata

CONNECT_SECONDS: Final = 1
"""To each address of a service, of which S3 names up to eight."""

ANSWER_SECONDS: Final = 3

OBJECT_SECONDS: Final = 2
"""For a small object, as S3's guide for applications that mind latency has it. A tick asks the store first, and etcd
waits for it."""

TRANSFER_SECONDS: Final = 60
"""Without a byte of a file."""

ATTACH_SECONDS: Final = 60
"""How long a volume may take to come. A predecessor that EC2 is ending still has it; then the agent asks again."""

LEAVE_SECONDS: Final = 60
"""How long the group may take to notice that its machine is to end."""

DEVICE: Final = "/dev/sdf"
"""What EC2 asks for and Nitro ignores; the machine knows the volume by its serial number."""

DISKS: Final = Path("/dev/disk/by-id")
METRICS_NAMESPACE: Final = "kube-ha"
CLUSTER_TAG: Final = "kube-ha:cluster"
MACHINE_TAG: Final = "kube-ha:machine"
PODS_TAG: Final = "kube-ha:pods"
ENDING: Final = "Terminated"


def connect(bucket: str) -> Cloud:
    """The cloud as this machine reaches it."""
    return Aws(bucket)


class Aws(Objects):
    """`Cloud` by AWS. `run` carries out commands on the machine, `disks` is where its volumes appear."""

    def __init__(self, bucket: str, run: aws_network.Run = aws_network.run, disks: Path = DISKS) -> None:
        super().__init__(
            bucket, lambda: self._client("s3", OBJECT_SECONDS), lambda: self._client("s3", TRANSFER_SECONDS)
        )
        self._metadata = Metadata()
        self._run, self._disks = run, disks
        self._clients: dict[tuple[str, int], Any] = {}
        self._slot: str | None = None

    def instance(self) -> Instance:
        identity = self._metadata("instance-id")
        group = self._group(identity)
        member = next(one for one in group["Instances"] if one["InstanceId"] == identity)
        zone = self._metadata("placement/availability-zone")
        return Instance(
            id=identity,
            group=group["AutoScalingGroupName"],
            machine=self._machine(identity, group),
            zone=zone,
            address=self._metadata("local-ipv4"),
            template=version(member["LaunchTemplate"]),
            desired_template=version(group["LaunchTemplate"]),
            provider_id=f"aws:///{zone}/{identity}",
        )

    def take_address(self, address: str) -> None:
        mac = self._metadata("mac")
        interface = self._metadata.interface("interface-id")
        with translated(address):
            self._ec2.assign_private_ip_addresses(
                NetworkInterfaceId=interface, PrivateIpAddresses=[address], AllowReassignment=True
            )
        subnet = self._metadata.interface("subnet-ipv4-cidr-block")
        for command in aws_network.commands(aws_network.device_of(mac), address, subnet):
            self._run(command)

    def attach_volume(self) -> str:
        volume = self._volume()
        identity = volume["VolumeId"]
        here = self._metadata("instance-id")
        if here not in {attachment["InstanceId"] for attachment in volume["Attachments"]}:
            with translated(identity):
                self._ec2.attach_volume(VolumeId=identity, InstanceId=here, Device=DEVICE)
        # Debian names a Nitro disk by its serial number, which is the volume's id without the dash.
        disk = self._disks / f"nvme-Amazon_Elastic_Block_Store_{identity.replace('-', '')}"
        deadline = time.monotonic() + ATTACH_SECONDS
        while not disk.exists():
            if time.monotonic() > deadline:
                raise CloudError(f"{identity} was attached and did not appear as {disk} within {ATTACH_SECONDS} s")
            time.sleep(0.2)
        return str(disk)

    def secret(self, name: str) -> bytes:
        with translated(name):
            answer = self._client("secretsmanager").get_secret_value(SecretId=f"kube-ha/{self._uid}/{name}")
        return str(answer["SecretString"]).encode()

    def keep_secret(self, name: str, content: bytes) -> None:
        with translated(name):
            self._client("secretsmanager").put_secret_value(
                SecretId=f"kube-ha/{self._uid}/{name}", SecretString=content.decode()
            )

    def wrap(self, content: bytes) -> bytes:
        # KMS itself encrypts 4 KiB at most: it gives a key for this content alone, and that key encrypted.
        with translated("wrap"):
            key = self._client("kms").generate_data_key(KeyId=f"alias/kube-ha/{self._cluster}", KeySpec="AES_256")
        nonce = os.urandom(12)
        wrapped = {
            "key": b64encode(key["CiphertextBlob"]).decode(),
            "nonce": b64encode(nonce).decode(),
            "content": b64encode(AESGCM(key["Plaintext"]).encrypt(nonce, content, None)).decode(),
        }
        return json.dumps(wrapped).encode()

    def report(self, *, ready: bool, phase: str, message: str, certificate_days: float | None, concerns: int) -> None:
        cluster = [{"Name": "Cluster", "Value": self._cluster}]
        machine = [{"Name": "Machine", "Value": self._slot or self._metadata("instance-id")}]
        values = {"Unwell": 0.0 if ready else 1.0, "CertificateDays": certificate_days, "Concerns": float(concerns)}
        data = [
            {"MetricName": name, "Value": value, "Unit": "None", "Dimensions": dimensions}
            for name, value in values.items()
            if value is not None
            for dimensions in (cluster, cluster + machine)
        ]
        with translated("report"):
            self._client("cloudwatch").put_metric_data(Namespace=METRICS_NAMESPACE, MetricData=data)

    def route(self, cidr: str, via: str | None = None) -> None:
        with translated(cidr):
            here = self._metadata.interface("interface-id") if via is None else self._routes.interface_of(via)
            self._routes.send(cidr, here)

    def routes(self) -> dict[str, str]:
        with translated("routes"):
            return self._routes.listed()

    def unroute(self, cidr: str, via: str) -> None:
        with translated(cidr):
            self._routes.drop(cidr, via)

    def replace_me(self, reason: str) -> None:
        with translated(reason):
            self._autoscaling.terminate_instance_in_auto_scaling_group(
                InstanceId=self._metadata("instance-id"), ShouldDecrementDesiredCapacity=False
            )
        deadline = time.monotonic() + LEAVE_SECONDS
        while not self.ending():
            if time.monotonic() > deadline:
                raise CloudError(f"the group has not begun to end this machine within {LEAVE_SECONDS} s")
            time.sleep(1)
        self.let_go()

    def ending(self) -> bool:
        """Whether the group is about to end this machine and waits until it has left."""
        try:
            return self._metadata("autoscaling/target-lifecycle-state") == ENDING
        except NotFoundError:
            return False

    def let_go(self) -> None:
        """Tell the group that this machine has left and may be ended at once."""
        identity = self._metadata("instance-id")
        group = self._group(identity)["AutoScalingGroupName"]
        with translated(group):
            hooks = self._autoscaling.describe_lifecycle_hooks(AutoScalingGroupName=group)["LifecycleHooks"]
            for hook in hooks:
                self._autoscaling.complete_lifecycle_action(
                    AutoScalingGroupName=group,
                    LifecycleHookName=hook["LifecycleHookName"],
                    InstanceId=identity,
                    LifecycleActionResult="CONTINUE",
                )

    def _group(self, identity: str) -> Any:
        with translated(identity):
            found = self._autoscaling.describe_auto_scaling_instances(InstanceIds=[identity])["AutoScalingInstances"]
            if not found:
                raise CloudError(f"{identity} is in no Auto Scaling group yet")
            name = found[0]["AutoScalingGroupName"]
            groups = self._autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])
        return groups["AutoScalingGroups"][0]

    def _machine(self, identity: str, group: Any) -> str:
        if self._slot is None:
            self._slot = self._metadata.tag(MACHINE_TAG) or aws_slots.claim(
                self,
                f"clusters/{self._uid}/slots/{group['AutoScalingGroupName']}/",
                identity,
                {one["InstanceId"] for one in group["Instances"] if one["LifecycleState"][:11] != "Terminating"},
                role=self._required_tag("kube-ha:role"),
                count=int(group["MaxSize"]),
            )
        return self._slot

    def _volume(self) -> Any:
        wanted = {
            f"tag:{CLUSTER_TAG}": self._cluster,
            f"tag:{MACHINE_TAG}": str(self._metadata.tag(MACHINE_TAG)),
            "availability-zone": self._metadata("placement/availability-zone"),
        }
        with translated("volume"):
            found = self._ec2.describe_volumes(Filters=filters(wanted))["Volumes"]
        if len(found) != 1:
            raise CloudError(f"{len(found)} volumes have {wanted}; a member has exactly one")
        return found[0]

    @cached_property
    def _routes(self) -> PodRoutes:
        return PodRoutes(self._ec2, {CLUSTER_TAG: self._cluster, PODS_TAG: "routed"})

    @cached_property
    def _uid(self) -> str:
        return self._required_tag("kube-ha:uid")

    @cached_property
    def _cluster(self) -> str:
        return self._required_tag(CLUSTER_TAG)

    def _required_tag(self, key: str) -> str:
        value = self._metadata.tag(key)
        if value is None:
            raise CloudError(f"this instance has no tag {key}: it was not launched from a stack's template")
        return value

    @property
    def _ec2(self) -> Any:
        return self._client("ec2")

    @property
    def _autoscaling(self) -> Any:
        return self._client("autoscaling")

    def _client(self, service: str, answer_seconds: int = ANSWER_SECONDS) -> Any:
        if (service, answer_seconds) not in self._clients:
            client = boto3.client(
                service,
                region_name=self._metadata("placement/region"),
                config=Config(
                    connect_timeout=CONNECT_SECONDS,
                    read_timeout=answer_seconds,
                    retries={"mode": "standard", "total_max_attempts": 2},
                ),
            )
            if answer_seconds != TRANSFER_SECONDS:
                Silence().watch(client)
            self._clients[service, answer_seconds] = client
        return self._clients[service, answer_seconds]


def version(template: Any) -> str:
    """A launch template's version, as the agent compares them."""
    return f"{template['LaunchTemplateId']}:{template['Version']}"
