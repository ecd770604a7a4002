"""The key under which everything of a control plane on AWS is encrypted."""

from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_aws import kms

from components.aws import policies

DELETION_DAYS: Final = 30
"""How long a deleted key can be brought back: the most that AWS takes, since with it everything is lost."""


@dataclass(frozen=True, kw_only=True)
class KeyArgs:
    """What a key is made from."""

    partition: str
    region: str
    account: str
    outlives_the_stack: bool
    """As the bucket does whose snapshots it opens."""


class Key(pulumi.ComponentResource):
    """One customer-managed key, rotated every year by AWS."""

    arn: pulumi.Output[str]

    def __init__(self, name: str, args: KeyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kube-ha:aws:Key", name, None, opts)
        key = kms.Key(
            name,
            description=f"kube-ha: volumes, secrets and snapshots of {name}",
            enable_key_rotation=True,
            deletion_window_in_days=DELETION_DAYS,
            policy=pulumi.Output.json_dumps(policies.key(args.partition, args.region, args.account)),
            opts=pulumi.ResourceOptions(parent=self, protect=True, retain_on_delete=args.outlives_the_stack),
        )
        kms.Alias(
            name,
            name=f"alias/kube-ha/{name}",
            target_key_id=key.id,
            opts=pulumi.ResourceOptions(parent=key, protect=False),
        )
        self.arn = key.arn
        self.register_outputs({"arn": self.arn})
