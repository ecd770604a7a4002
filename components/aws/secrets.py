"""The secret store of a control plane on AWS: Secrets Manager, under the stack's own key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_aws import secretsmanager

from components.node.machine import Role
from components.secret_readers import readers

RECOVERY_DAYS: Final = 7
"""How long a deleted secret can be brought back; the least that AWS takes."""


@dataclass(frozen=True, kw_only=True)
class SecretsArgs:
    """What the store holds, and for whom."""

    uid: pulumi.Output[str]
    values: Mapping[str, pulumi.Output[str]]
    key_arn: pulumi.Input[str]
    external_etcd: bool


class Secrets(pulumi.ComponentResource):
    """One secret per authority or key; the machines' roles say who reads which."""

    readable: Mapping[Role, Sequence[pulumi.Output[str]]]
    """Role → ARNs."""

    def __init__(self, name: str, args: SecretsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kube-ha:aws:Secrets", name, None, opts)
        arns: dict[str, pulumi.Output[str]] = {}
        allowed = readers(external_etcd=args.external_etcd)
        for secret in allowed:
            stored = secretsmanager.Secret(
                f"{name}-{secret}",
                # A name stays taken while a deleted secret can be brought back; the uid makes room for the next `up`.
                name=pulumi.Output.concat("kube-ha/", args.uid, "/", secret),
                kms_key_id=args.key_arn,
                recovery_window_in_days=RECOVERY_DAYS,
                opts=pulumi.ResourceOptions(parent=self),
            )
            secretsmanager.SecretVersion(
                f"{name}-{secret}",
                secret_id=stored.id,
                secret_string=args.values[secret],
                # Who waits for the store waits for its own children: a secret without content is not worth it.
                opts=pulumi.ResourceOptions(parent=self),
            )
            arns[secret] = stored.arn
        self.readable = {
            role: [arn for secret, arn in arns.items() if role in allowed[secret]]
            for role in (Role.MASTER, Role.MEMBER)
        }
        self.register_outputs({})
