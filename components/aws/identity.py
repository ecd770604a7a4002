"""Who machines on AWS are: a role per kind, with what is called on it and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws import iam

from components.aws import policies


@dataclass(frozen=True, kw_only=True)
class IdentityArgs:
    """What an identity is made from."""

    policy: Mapping[str, Any]
    """What the role allows; ARNs in it may be unknown yet."""


class Identity(pulumi.ComponentResource):
    """A role that a machine has by its instance profile."""

    instance_profile_arn: pulumi.Output[str]

    def __init__(self, name: str, args: IdentityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kube-ha:aws:Identity", name, {"policy": policies.outline(args.policy)}, opts)
        role = iam.Role(
            name,
            assume_role_policy=policies.assumed_by("ec2.amazonaws.com"),
            opts=pulumi.ResourceOptions(parent=self),
        )
        policy = iam.RolePolicy(
            name,
            role=role.id,
            policy=pulumi.Output.json_dumps(args.policy),
            opts=pulumi.ResourceOptions(parent=role),
        )
        # A machine that boots before its role may do anything would begin with refusals.
        profile = iam.InstanceProfile(
            name, role=role.name, opts=pulumi.ResourceOptions(parent=role, depends_on=[policy])
        )
        self.instance_profile_arn = profile.arn
        self.register_outputs({"instanceProfileArn": self.instance_profile_arn})
