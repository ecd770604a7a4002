"""The bucket of a control plane on AWS: its artifacts, its membership record, its snapshots."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pulumi
from pulumi_aws import s3

from components.aws import policies
from components.scenarios import SnapshotPlan


@dataclass(frozen=True)
class Upload:
    """A file that machines fetch."""

    source: Path
    sha256: str


@dataclass(frozen=True, kw_only=True)
class BackupsArgs:
    """What the bucket starts with, and how long it keeps what."""

    uploads: Mapping[str, Upload]
    """Key → file."""
    key_arn: pulumi.Input[str]
    snapshots: SnapshotPlan
    outlives_the_stack: bool


class Backups(pulumi.ComponentResource):
    """One protected bucket: versioned, encrypted, for TLS only, never public."""

    bucket: pulumi.Output[str]
    arn: pulumi.Output[str]
    url: pulumi.Output[str]

    def __init__(self, name: str, args: BackupsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        refused = policies.outline(policies.tls_only(policies.NotYet()))
        super().__init__("kube-ha:aws:Backups", name, {"policy": refused}, opts)
        self.name, self.args = name, args
        self.keep = args.outlives_the_stack
        store = s3.Bucket(
            name,
            # Only lets objects be locked; the machines lock each snapshot for its own life.
            object_lock_enabled=args.snapshots.locked,
            opts=pulumi.ResourceOptions(parent=self, protect=True, retain_on_delete=self.keep),
        )
        self.bucket, self.arn = store.bucket, store.arn
        self.url = pulumi.Output.concat("s3://", store.bucket, "/clusters/")
        # What guards the bucket stays with it.
        self.guard = pulumi.ResourceOptions(parent=store, retain_on_delete=self.keep)
        versioned = self.versions()
        self.encryption()
        self.privacy()
        self.lifecycle(versioned)
        for key, upload in args.uploads.items():
            s3.BucketObjectv2(
                f"{name}-{key}",
                bucket=self.bucket,
                key=key,
                source=pulumi.FileAsset(str(upload.source)),
                source_hash=upload.sha256,
                # Not the bucket's child, which would be protected with it: the next agent takes the place of this one.
                opts=pulumi.ResourceOptions(parent=self, depends_on=[versioned]),
            )
        self.register_outputs({"bucket": self.bucket, "url": self.url})

    def versions(self) -> s3.BucketVersioning:
        return s3.BucketVersioning(
            self.name,
            bucket=self.bucket,
            versioning_configuration=s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
            opts=self.guard,
        )

    def encryption(self) -> None:
        default = s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
            sse_algorithm="aws:kms", kms_master_key_id=self.args.key_arn
        )
        s3.BucketServerSideEncryptionConfiguration(
            self.name,
            bucket=self.bucket,
            rules=[
                s3.BucketServerSideEncryptionConfigurationRuleArgs(
                    apply_server_side_encryption_by_default=default, bucket_key_enabled=True
                )
            ],
            opts=self.guard,
        )

    def privacy(self) -> None:
        block = s3.BucketPublicAccessBlock(
            self.name,
            bucket=self.bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=self.guard,
        )
        s3.BucketOwnershipControls(
            self.name,
            bucket=self.bucket,
            rule=s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
            opts=self.guard,
        )
        s3.BucketPolicy(
            self.name,
            bucket=self.bucket,
            policy=pulumi.Output.json_dumps(policies.tls_only(self.arn)),
            # AWS refuses to change both at once.
            opts=pulumi.ResourceOptions.merge(self.guard, pulumi.ResourceOptions(depends_on=[block])),
        )

    def lifecycle(self, versioned: s3.BucketVersioning) -> None:
        """What the machines deleted stays for one more snapshot life; half an upload does not."""
        longest = max((tier.keep for tier in self.args.snapshots.tiers), default=timedelta(days=7))
        s3.BucketLifecycleConfiguration(
            self.name,
            bucket=self.bucket,
            rules=[
                s3.BucketLifecycleConfigurationRuleArgs(
                    id="deleted",
                    status="Enabled",
                    filter=s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
                    noncurrent_version_expiration=(
                        s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(noncurrent_days=longest.days)
                    ),
                    abort_incomplete_multipart_upload=(
                        s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(days_after_initiation=1)
                    ),
                )
            ],
            opts=pulumi.ResourceOptions.merge(self.guard, pulumi.ResourceOptions(depends_on=[versioned])),
        )
