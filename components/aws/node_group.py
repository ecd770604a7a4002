"""Nodes for ordinary workloads on EKS: one group over all zones, whose broken nodes EKS replaces."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_aws import ec2, eks

from components.aws import policies
from components.aws.roles import role

ROOT_GIB: Final = 50
"""Images of a few dozen pods; EKS' own default is 20."""

POLICIES: Final = (
    "AmazonEC2ContainerRegistryPullOnly",
    "AmazonEKSWorkerNodePolicy",
    "AmazonEKS_CNI_Policy",
    "AmazonSSMManagedInstanceCore",
)

IMAGES: Final = {"amd64": "AL2023_x86_64_STANDARD", "arm64": "AL2023_ARM_64_STANDARD"}
"""Architecture → the images of EKS for it."""


@dataclass(frozen=True, kw_only=True)
class NodeGroupArgs:
    """What a group of nodes is made from."""

    cluster: str
    """Value of the tag that marks what is this cluster's."""
    cluster_name: pulumi.Input[str]
    partition: str
    subnets: Mapping[str, pulumi.Input[str]]
    """Zone → id."""
    per_zone: int
    machine_type: str
    architecture: str
    key_arn: pulumi.Input[str]
    needs: Sequence[pulumi.Resource]
    """What has to be there before the first node boots; what a component waits for, its children do not."""


class NodeGroup(pulumi.ComponentResource):
    """As many nodes in each zone as asked for, when all are well."""

    count: int
    made: eks.NodeGroup

    def __init__(self, name: str, args: NodeGroupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kube-ha:aws:NodeGroup", name, None, opts)
        self.name, self.args = name, args
        self.count = args.per_zone * len(args.subnets)
        child = pulumi.ResourceOptions(parent=self)
        taken, attached = role(name, policies.assumed_by("ec2.amazonaws.com"), POLICIES, args.partition, child)
        template = self.template()
        self.made = eks.NodeGroup(
            name,
            cluster_name=args.cluster_name,
            node_role_arn=taken.arn,
            subnet_ids=list(args.subnets.values()),
            instance_types=[args.machine_type],
            ami_type=IMAGES[args.architecture],
            capacity_type="ON_DEMAND",
            scaling_config=eks.NodeGroupScalingConfigArgs(
                min_size=self.count, desired_size=self.count, max_size=self.count
            ),
            update_config=eks.NodeGroupUpdateConfigArgs(max_unavailable=1),
            node_repair_config=eks.NodeGroupNodeRepairConfigArgs(enabled=True),
            launch_template=eks.NodeGroupLaunchTemplateArgs(id=template.id, version=template.latest_version.apply(str)),
            # A node that boots before its role may do anything does not join.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*attached, *args.needs]),
        )
        self.register_outputs({"nodeGroupName": self.made.node_group_name})

    def template(self) -> ec2.LaunchTemplate:
        tags = {"Name": self.name, policies.CLUSTER_TAG: self.args.cluster}
        return ec2.LaunchTemplate(
            self.name,
            update_default_version=True,
            metadata_options=ec2.LaunchTemplateMetadataOptionsArgs(
                http_endpoint="enabled",
                http_tokens="required",
                # Pods are one hop further away: they have identities of their own.
                http_put_response_hop_limit=1,
            ),
            monitoring=ec2.LaunchTemplateMonitoringArgs(enabled=True),
            block_device_mappings=[
                ec2.LaunchTemplateBlockDeviceMappingArgs(
                    device_name="/dev/xvda",
                    ebs=ec2.LaunchTemplateBlockDeviceMappingEbsArgs(
                        volume_type="gp3",
                        volume_size=ROOT_GIB,
                        encrypted="true",
                        kms_key_id=self.args.key_arn,
                        delete_on_termination="true",
                    ),
                )
            ],
            tag_specifications=[
                ec2.LaunchTemplateTagSpecificationArgs(resource_type=kind, tags=tags)
                for kind in ("instance", "network-interface", "volume")
            ],
            tags=tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
