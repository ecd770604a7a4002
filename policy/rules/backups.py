"""Snapshots of etcd, and the bucket that they are kept in."""

from collections.abc import Iterator
from typing import Final

from policy import declared
from policy.iam_document import document, statements
from policy.resource import CONTROL_PLANE, Resource, Stack
from policy.rule import ALWAYS, Config, Severity, checkov, resource_rule, stack_rule

LOCAL_BUCKET: Final = "local:index:Bucket"
S3: Final = ("aws:s3/bucket:Bucket", "aws:s3/bucketV2:BucketV2")
GCS: Final = "gcp:storage/bucket:Bucket"
AZURE_STORAGE: Final = "azure-native:storage:StorageAccount"
BUCKETS: Final = (LOCAL_BUCKET, *S3, GCS, AZURE_STORAGE)
VERSIONING: Final = ("aws:s3/bucketVersioning:BucketVersioning", "aws:s3/bucketVersioningV2:BucketVersioningV2")
BUCKET_POLICY: Final = "aws:s3/bucketPolicy:BucketPolicy"
BLOB_SERVICE: Final = "azure-native:storage:BlobServiceProperties"


def keeps_snapshots(bucket: Resource) -> bool:
    """Whether snapshots are kept in it: in ours always, in somebody else's if it says so."""
    return bucket.in_control_plane or any(word in bucket.label for word in ("etcd", "backup", "snapshot"))


@resource_rule(
    types=(CONTROL_PLANE,),
    severity=Severity.CRITICAL,
    satisfy="Leave the scenario's snapshot plan as it is.",
    schema={
        "seconds": {
            "type": "integer",
            "minimum": 0,
            "default": 0,
            "description": "The most that a restore may lose; 0 is the scenario's own interval.",
        }
    },
)
def snapshots_keep_the_pace(plane: Resource, config: Config) -> Iterator[str]:
    """The time between two snapshots is what a restore loses."""
    promised = config["seconds"] or declared.shape(plane).snapshots.interval.total_seconds()
    interval = plane.properties.number("snapshots.intervalSeconds")
    if not declared.self_managed(plane):
        return
    if not interval:
        yield f"declares no snapshots; this scenario snapshots etcd every {promised:g} s."
    elif interval > promised:
        yield f"a snapshot every {interval:g} s; this scenario promises one every {promised:g} s."


@resource_rule(
    types=(CONTROL_PLANE,),
    severity=Severity.HIGH,
    satisfy="Leave the scenario's snapshot plan as it is.",
)
def snapshots_are_kept(plane: Resource, config: Config) -> Iterator[str]:
    """A loss that is noticed late is only undone by a snapshot from before it."""
    promised = max(tier.keep.total_seconds() for tier in declared.shape(plane).snapshots.tiers)
    kept = plane.properties.number("snapshots.keptSeconds")
    if declared.self_managed(plane) and kept is not None and kept < promised:
        yield f"snapshots are kept for {kept / 86400:g} days; this scenario promises {promised / 86400:g}."


@resource_rule(
    types=(CONTROL_PLANE,),
    severity=Severity.HIGH,
    satisfy="Leave the scenario's snapshot plan as it is: critical locks snapshots.",
)
def snapshots_are_locked(plane: Resource, config: Config) -> Iterator[str]:
    """Whoever takes over a critical cluster must not be able to delete its past."""
    locked = plane.properties.flag("snapshots.locked")
    if declared.self_managed(plane) and declared.shape(plane).snapshots.locked and locked is not True:
        yield "snapshots are not locked against deletion; set snapshots.locked."


@resource_rule(
    types=BUCKETS,
    severity=Severity.CRITICAL,
    satisfy="ResourceOptions(protect=True), and no forceDestroy.",
    levels=ALWAYS,
)
def snapshot_buckets_outlive_the_stack(bucket: Resource, config: Config) -> Iterator[str]:
    """Snapshots are for the day on which the stack is gone."""
    if not keeps_snapshots(bucket):
        return
    if not bucket.protect:
        yield "not protected; set protect."
    if bucket.properties.flag("forceDestroy"):
        yield "forceDestroy deletes every snapshot with the bucket; leave it out."


@stack_rule(
    types=(*S3, GCS, AZURE_STORAGE),
    severity=Severity.HIGH,
    satisfy="AWS: a BucketVersioning that is Enabled. GCP: versioning.enabled. Azure: isVersioningEnabled.",
    identifiers=checkov("CKV_AWS_21", "CKV_GCP_78"),
)
def snapshot_buckets_keep_versions(bucket: Resource, stack: Stack, config: Config) -> Iterator[str]:
    """An overwritten or deleted snapshot must be there to be brought back."""
    if not keeps_snapshots(bucket):
        return
    inline = bucket.properties.flag("versioning.enabled")
    beside = [
        *(
            v.properties.text("versioningConfiguration.status") == "Enabled"
            for v in stack.about(bucket, "bucket", *VERSIONING)
        ),
        *(v.properties.flag("isVersioningEnabled") for v in stack.about(bucket, "accountName", BLOB_SERVICE)),
    ]
    if not inline and not any(beside):
        yield "keeps no versions of its objects; switch versioning on."


@stack_rule(
    types=(*S3, AZURE_STORAGE),
    severity=Severity.HIGH,
    satisfy="AWS: a BucketPolicy that denies where aws:SecureTransport is false. Azure: enableHttpsTrafficOnly.",
    levels=ALWAYS,
    identifiers=checkov("CKV_AWS_379", "CKV_AZURE_3"),
)
def snapshot_buckets_refuse_plain_http(bucket: Resource, stack: Stack, config: Config) -> Iterator[str]:
    """A snapshot has every secret of the cluster in it; nobody may be able to fetch it in clear text."""
    if not keeps_snapshots(bucket):
        return
    if bucket.is_a(AZURE_STORAGE):
        if bucket.properties.flag("enableHttpsTrafficOnly") is False:
            yield "enableHttpsTrafficOnly is false; leave it out or set it to true."
        return
    policies = [document(policy) for policy in stack.about(bucket, "bucket", BUCKET_POLICY)]
    if not any(denies_plain_http(policy) for policy in policies):
        yield "no bucket policy denies requests where aws:SecureTransport is false; add one."


def denies_plain_http(policy: object) -> bool:
    """Whether an S3 bucket policy denies requests without TLS."""
    return any(
        statement.text("Effect") == "Deny" and statement.flag("Condition.Bool.aws:SecureTransport") is False
        for statement in statements(policy)
    )
