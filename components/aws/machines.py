"""The machines of a control plane on AWS: groups that replace what dies, and the volumes that outlive it."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_aws import autoscaling, ebs, ec2

from components.aws.policies import CLUSTER_TAG, MACHINE_TAG, ROLE_TAG, UID_TAG
from components.node.health import grace_period_seconds
from components.node.machine import Role

ROOT_GIB: Final = {Role.MASTER: 30, Role.MEMBER: 20}
"""Debian's own image has 8. A master has beside it images of containers, packed and unpacked, an audit log of at most
1.1 GB (components/node/audit.py) and logs of pods; a member a snapshot or two on their way."""
VOLUME_GIB: Final = 20
"""etcd's quota of 8 GiB, and what defragmentation and a restore need beside it."""
VOLUME_IOPS: Final = 3000
"""What gp3 has without extra cost; etcd's own advice for a busy cluster is 500 sequential."""

HOOK_SECONDS: Final = grace_period_seconds("aws") + 45
"""How long a machine that ends may take to leave: an API server's whole grace period, then etcd's hand-over. No longer:
it is also how long a dead machine keeps its member's volume."""

METRICS: Final = (autoscaling.Metric.GROUP_DESIRED_CAPACITY, autoscaling.Metric.GROUP_IN_SERVICE_INSTANCES)


@dataclass(frozen=True, kw_only=True)
class Durable:
    """What outlives the machine of a group of one."""

    machine: str
    zone: str


@dataclass(frozen=True, kw_only=True)
class MachineGroupArgs:
    """What a group is made from."""

    cluster: str
    uid: pulumi.Input[str]
    role: Role
    count: int
    subnets: Sequence[pulumi.Input[str]]
    machine_type: str
    image: pulumi.Input[str]
    image_is_chosen: bool
    """Whether the stack names the image. If not, the one that the group began with stays."""
    user_data: pulumi.Output[str]
    instance_profile_arn: pulumi.Input[str]
    security_group: pulumi.Input[str]
    key_arn: pulumi.Input[str]
    needs: Sequence[pulumi.Resource]
    """What has to be there before the first machine boots; what a component waits for, its children do not."""
    target_groups: Sequence[pulumi.Input[str]] = ()
    durable: Durable | None = None


class MachineGroup(pulumi.ComponentResource):
    """Machines of one role that come back by themselves; the resource is the group, not one incarnation."""

    group_name: pulumi.Output[str]
    count: int
    volume_id: pulumi.Output[str] | None
    """Of the volume that outlives the machine, where there is one."""

    def __init__(self, name: str, args: MachineGroupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kube-ha:aws:MachineGroup", name, None, opts)
        self.name, self.args = name, args
        self.child = pulumi.ResourceOptions(parent=self)
        self.volume_id = self.volume(args.durable).id if args.durable else None
        template = self.template()
        group = autoscaling.Group(
            name,
            min_size=args.count,
            max_size=args.count,
            desired_capacity=args.count,
            vpc_zone_identifiers=args.subnets,
            launch_template=autoscaling.GroupLaunchTemplateArgs(
                id=template.id, version=template.latest_version.apply(str)
            ),
            target_group_arns=args.target_groups,
            # The machine's own check only. Judged by the API's, a lost quorum would have every master killed.
            health_check_type="EC2",
            # A machine whose check fails from its first minute on would stay for the provider's default of 300 s.
            health_check_grace_period=60,
            # Two machines of a member would fight for its volume: the old one goes first. Else the new one does; AWS
            # takes no more than 100 between the two numbers.
            instance_maintenance_policy=autoscaling.GroupInstanceMaintenancePolicyArgs(
                min_healthy_percentage=0 if args.durable else 90, max_healthy_percentage=100 if args.durable else 190
            ),
            # `up` ends when a master answers, not when its machine exists.
            wait_for_elb_capacity=args.count if args.target_groups else None,
            wait_for_capacity_timeout="15m",
            enabled_metrics=METRICS,
            metrics_granularity="1Minute",
            tags=[
                autoscaling.GroupTagArgs(key=key, value=value, propagate_at_launch=True)
                for key, value in self.tags.items()
            ],
            opts=pulumi.ResourceOptions(parent=self, depends_on=args.needs),
        )
        autoscaling.LifecycleHook(
            f"{name}-leave",
            autoscaling_group_name=group.name,
            lifecycle_transition="autoscaling:EC2_INSTANCE_TERMINATING",
            heartbeat_timeout=HOOK_SECONDS,
            default_result="CONTINUE",
            opts=pulumi.ResourceOptions(parent=group),
        )
        self.group_name, self.count = group.name, args.count
        self.register_outputs({"groupName": self.group_name})

    @property
    def tags(self) -> Mapping[str, pulumi.Input[str]]:
        """By these a machine finds itself and its volume, and IAM tells this cluster's things from others'."""
        args = self.args
        machine = {MACHINE_TAG: args.durable.machine} if args.durable else {}
        return {CLUSTER_TAG: args.cluster, UID_TAG: args.uid, ROLE_TAG: str(args.role), "Name": self.name, **machine}

    def volume(self, durable: Durable) -> ebs.Volume:
        return ebs.Volume(
            durable.machine,
            availability_zone=durable.zone,
            type="gp3",
            size=VOLUME_GIB,
            iops=VOLUME_IOPS,
            encrypted=True,
            kms_key_id=self.args.key_arn,
            tags=self.tags,
            opts=pulumi.ResourceOptions(parent=self, protect=True),
        )

    def template(self) -> ec2.LaunchTemplate:
        pinned = None if self.args.image_is_chosen else ["imageId"]
        return ec2.LaunchTemplate(
            self.name,
            image_id=self.args.image,
            instance_type=self.args.machine_type,
            iam_instance_profile=ec2.LaunchTemplateIamInstanceProfileArgs(arn=self.args.instance_profile_arn),
            vpc_security_group_ids=[self.args.security_group],
            user_data=self.args.user_data.apply(lambda text: b64encode(text.encode()).decode()),
            update_default_version=True,
            instance_initiated_shutdown_behavior="terminate",
            metadata_options=ec2.LaunchTemplateMetadataOptionsArgs(
                http_endpoint="enabled",
                http_tokens="required",
                # Pods are one hop further away: none of them can speak with the machine's role.
                http_put_response_hop_limit=1,
                instance_metadata_tags="enabled",
            ),
            monitoring=ec2.LaunchTemplateMonitoringArgs(enabled=True),
            block_device_mappings=[self.root_volume()],
            tag_specifications=[
                ec2.LaunchTemplateTagSpecificationArgs(resource_type=kind, tags=self.launched_tags)
                for kind in ("instance", "network-interface", "volume")
            ],
            tags=self.tags,
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=pinned),
        )

    @property
    def launched_tags(self) -> Mapping[str, pulumi.Input[str]]:
        """Of what comes and goes with a machine: not `MACHINE_TAG`, by which the volume that stays is found."""
        return {key: value for key, value in self.tags.items() if key != MACHINE_TAG}

    def root_volume(self) -> ec2.LaunchTemplateBlockDeviceMappingArgs:
        return ec2.LaunchTemplateBlockDeviceMappingArgs(
            # The root of Debian's images. Of an image with another it would be a second disk.
            device_name="/dev/xvda",
            ebs=ec2.LaunchTemplateBlockDeviceMappingEbsArgs(
                volume_type="gp3",
                volume_size=ROOT_GIB[self.args.role],
                encrypted="true",
                kms_key_id=self.args.key_arn,
                delete_on_termination="true",
            ),
        )
