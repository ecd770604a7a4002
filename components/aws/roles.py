"""Roles that services of AWS take, with policies that AWS keeps."""

from collections.abc import Sequence
from typing import Final

import pulumi
from pulumi_aws import iam

from components.aws import policies


def role(
    name: str, trust: str, managed_policies: Sequence[str], partition: str, opts: pulumi.ResourceOptions
) -> tuple[iam.Role, list[pulumi.Resource]]:
    """A role, and what has to be there before anybody can act in it.

    Args:
        trust: who takes it, as a policy document.
        managed_policies: names with their paths, such as `service-role/AmazonEBSCSIDriverPolicy`.
    """
    taken = iam.Role(name, assume_role_policy=trust, opts=opts)
    attached: list[pulumi.Resource] = [
        iam.RolePolicyAttachment(
            f"{name}-{policy.rsplit('/', 1)[-1]}",
            role=taken.name,
            policy_arn=f"arn:{partition}:iam::aws:policy/{policy}",
            opts=pulumi.ResourceOptions(parent=taken),
        )
        for policy in managed_policies
    ]
    return taken, attached


POD_IDENTITY: Final = policies.assumed_by("pods.eks.amazonaws.com", "sts:AssumeRole", "sts:TagSession")
"""The trust of a role that pods of a cluster take."""
