"""The secret store of a local control plane: who may read what."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from components.node.machine import Role
from components.secret_readers import readers
from providers.local import resources as local


@dataclass(frozen=True, kw_only=True)
class SecretsArgs:
    """What the store holds, and for whom."""

    network: pulumi.Input[str]
    values: Mapping[str, pulumi.Output[str]]
    external_etcd: bool


class Secrets(pulumi.ComponentResource):
    """One secret per authority or key, readable by the roles that need it and no other."""

    def __init__(self, name: str, args: SecretsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kube-ha:local:Secrets", name, None, opts)
        for secret, roles in readers(external_etcd=args.external_etcd).items():
            local.Secret(
                f"{name}-{secret}",
                local.SecretArgs(
                    name=secret,
                    network=args.network,
                    value=args.values[secret],
                    readers=[str(role) for role in sorted(roles, key=list(Role).index)],
                ),
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({})
