"""Who the nodes of a control plane on Google Cloud are, and who administers it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_gcp import projects, serviceaccount

from components.settings import SettingsError

NODE_ROLES: Final = {
    "nodes": "roles/container.defaultNodeServiceAccount",
    "images": "roles/artifactregistry.reader",
}
"""What a node calls: logs, metrics and its own registration; and its images."""

ADMINISTRATOR: Final = "roles/container.admin"
"""RBAC's cluster-admin in every cluster of the project: IAM has no such role for one cluster."""


MEMBER: Final = re.compile(r"(user|group|serviceAccount|principal|principalSet):\S+")


@dataclass(frozen=True, kw_only=True)
class IdentityArgs:
    """What identities are made from."""

    project: str
    administrators: Sequence[str]
    """Members of IAM: user:…, group:…, serviceAccount:…."""


class Identity(pulumi.ComponentResource):
    """A service account with what nodes need and nothing else, where the default one may edit the project."""

    email: pulumi.Output[str]
    """Known only when the account may do what it must."""

    def __init__(self, name: str, args: IdentityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kube-ha:gcp:Identity", name, None, opts)
        account = serviceaccount.Account(
            name,
            project=args.project,
            account_id=f"{name}-nodes",
            display_name=f"kube-ha: nodes of {name}",
            opts=pulumi.ResourceOptions(parent=self),
        )
        grants = [
            projects.IAMMember(
                f"{name}-{use}",
                project=args.project,
                role=role,
                member=account.member,
                opts=pulumi.ResourceOptions(parent=account),
            )
            for use, role in NODE_ROLES.items()
        ]
        for number, member in enumerate(args.administrators, 1):
            projects.IAMMember(
                f"{name}-administrator-{number}",
                project=args.project,
                role=ADMINISTRATOR,
                member=member,
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.email = pulumi.Output.all(account.email, *[grant.etag for grant in grants]).apply(
            lambda known: str(known[0])
        )
        self.register_outputs({"email": self.email})


def check_administrators(administrators: Sequence[str]) -> None:
    """That IAM can know who administers.

    Raises:
        SettingsError: one line for each that it cannot.
    """
    wrong = [
        f"kube-ha:administrators: got {member!r}; a member of Google's IAM says what it is, such as "
        "user:ann@example.com or group:oncall@example.com."
        for member in administrators
        if not MEMBER.fullmatch(member)
    ]
    if wrong:
        raise SettingsError("\n".join(wrong))
