"""The bucket of a local control plane: its artifacts, its membership record, its snapshots."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pulumi

from providers.local import resources as local


@dataclass(frozen=True)
class Upload:
    """A file that machines fetch."""

    source: Path
    sha256: str


@dataclass(frozen=True, kw_only=True)
class BackupsArgs:
    """What the bucket starts with."""

    network: pulumi.Input[str]
    uploads: Mapping[str, Upload]
    """Key → file."""


class Backups(pulumi.ComponentResource):
    """One protected bucket."""

    bucket: pulumi.Output[str]
    url: pulumi.Output[str]
    uploads: Sequence[local.BucketObject]
    """What machines need to boot; they depend on these by name, since they are children of the bucket."""

    def __init__(self, name: str, args: BackupsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kube-ha:local:Backups", name, None, opts)
        bucket = local.Bucket(
            name,
            local.BucketArgs(name=name, network=args.network),
            opts=pulumi.ResourceOptions(parent=self, protect=True),
        )
        self.uploads = [
            local.BucketObject(
                f"{name}-{key}",
                local.BucketObjectArgs(bucket=bucket.name, key=key, source=str(upload.source), sha256=upload.sha256),
                # Not what protection is for: a new agent has a new key, and the old one's object must go.
                opts=pulumi.ResourceOptions(parent=bucket, protect=False),
            )
            for key, upload in args.uploads.items()
        ]
        self.bucket = bucket.name
        self.url = bucket.url
        self.register_outputs({"bucket": self.bucket, "url": self.url})
