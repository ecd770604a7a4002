"""The key under which everything of a control plane in a region of Google Cloud is encrypted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_gcp import kms

ROTATION_DAYS: Final = 90
DELETION_DAYS: Final = 30
"""How long a deleted version can be brought back: Google's own default, since with it everything is lost."""
DAY: Final = 86_400


@dataclass(frozen=True, kw_only=True)
class KeyArgs:
    """What a key is made from."""

    region: str
    users: Mapping[str, pulumi.Input[str]]
    """Name → member of IAM who encrypts and decrypts."""
    outlives_the_stack: bool
    """As the backups do that it opens."""


class Key(pulumi.ComponentResource):
    """One key, rotated by Google; a ring can never be deleted, nor its name used again."""

    id: pulumi.Output[str]
    """Known only when its users may use it."""

    def __init__(self, name: str, args: KeyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kube-ha:gcp:Key", name, None, opts)
        kept = pulumi.ResourceOptions(protect=True, retain_on_delete=args.outlives_the_stack)
        ring = kms.KeyRing(
            name,
            location=args.region,
            opts=pulumi.ResourceOptions.merge(kept, pulumi.ResourceOptions(parent=self)),
        )
        key = kms.CryptoKey(
            name,
            key_ring=ring.id,
            purpose="ENCRYPT_DECRYPT",
            rotation_period=f"{ROTATION_DAYS * DAY}s",
            destroy_scheduled_duration=f"{DELETION_DAYS * DAY}s",
            opts=pulumi.ResourceOptions.merge(kept, pulumi.ResourceOptions(parent=ring)),
        )
        grants = [
            kms.CryptoKeyIAMMember(
                f"{name}-{user}",
                crypto_key_id=key.id,
                role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
                member=member,
                # Without its grant a key that outlives the stack opens nothing.
                opts=pulumi.ResourceOptions(parent=key, protect=False, retain_on_delete=args.outlives_the_stack),
            )
            for user, member in args.users.items()
        ]
        self.id = pulumi.Output.all(key.id, *[grant.etag for grant in grants]).apply(lambda known: str(known[0]))
        self.register_outputs({"id": self.id})
