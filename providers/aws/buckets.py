"""Buckets, what guards them and what is in them, by S3's requests."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from providers.aws.connection import Aws
from providers.aws.kind import Kind, Made, Properties, Request, names, pascal, tag_list

COPIED_BYTES: Final = 1024 * 1024
"""Larger files are stood for by an empty object: a rehearsal would spend its time on copying a gigabyte."""


def make_bucket(aws: Aws, request: Request) -> Made:
    given = request.inputs
    bucket = given["bucket"]
    aws(
        "s3",
        "create_bucket",
        Bucket=bucket,
        CreateBucketConfiguration={"LocationConstraint": aws.region},
        ObjectLockEnabledForBucket=given.get("objectLockEnabled") or None,
    )
    aws("s3", "put_bucket_tagging", Bucket=bucket, Tagging={"TagSet": tag_list(request.tags)})
    return Made(bucket, {"arn": f"arn:aws:s3:::{bucket}"})


def configuration(put: str, inputs: str, parameters: Callable[[Properties], dict[str, Any]], remove: str) -> Kind:
    """Something that is put on a bucket, put again to change it, and taken off."""

    def set_it(aws: Aws, request: Request) -> Made:
        aws("s3", put, Bucket=request.inputs["bucket"], **parameters(request.inputs))
        return Made(request.inputs["bucket"])

    def change(aws: Aws, identity: str, before: Properties, request: Request) -> Properties:
        set_it(aws, request)
        return {}

    def take_off(aws: Aws, identity: str, state: Properties) -> None:
        # Versioning cannot be taken off, and goes with its bucket.
        if remove:
            aws("s3", remove, Bucket=identity)

    return Kind(
        inputs=names(f"bucket {inputs}"),
        replaces=names("bucket"),
        create=set_it,
        update=change,
        find=lambda aws, identity, state: aws("s3", "head_bucket", Bucket=identity),
        delete=take_off,
    )


def encryption(given: Properties) -> dict[str, Any]:
    rules = [
        {
            "ApplyServerSideEncryptionByDefault": {
                "SSEAlgorithm": rule["applyServerSideEncryptionByDefault"]["sseAlgorithm"],
                "KMSMasterKeyID": rule["applyServerSideEncryptionByDefault"]["kmsMasterKeyId"],
            },
            "BucketKeyEnabled": rule["bucketKeyEnabled"],
        }
        for rule in given["rules"]
    ]
    return {"ServerSideEncryptionConfiguration": {"Rules": rules}}


def lifecycle(given: Properties) -> dict[str, Any]:
    rules = []
    for rule in given["rules"]:
        spelt = pascal(rule)
        identity = spelt.pop("Id")
        rules.append({**spelt, "ID": identity})
    return {"LifecycleConfiguration": {"Rules": rules}}


def make_metric(aws: Aws, request: Request) -> Made:
    given = request.inputs
    parameters = {"Id": given["name"], "Filter": pascal(given["filter"])}
    aws.check(
        "s3",
        "put_bucket_metrics_configuration",
        Bucket=given["bucket"],
        Id=given["name"],
        MetricsConfiguration=parameters,
    )
    return Made(f"{given['bucket']}:{given['name']}")


def make_object(aws: Aws, request: Request) -> Made:
    given = request.inputs
    source = Path(given["source"]["path"])
    large = source.stat().st_size > COPIED_BYTES
    made = aws(
        "s3",
        "put_object",
        Bucket=given["bucket"],
        Key=given["key"],
        Body=b"" if large else source.read_bytes(),
        Metadata={"size": str(source.stat().st_size)},
    )
    return Made(f"{given['bucket']}/{given['key']}", {"etag": made["ETag"], "versionId": made.get("VersionId", "")})


def remove_object(aws: Aws, identity: str, state: Properties) -> None:
    where = {"Bucket": state["bucket"], "Key": state["key"]}
    versions = aws("s3", "list_object_versions", Bucket=state["bucket"], Prefix=state["key"])
    for version in [*versions.get("Versions", []), *versions.get("DeleteMarkers", [])]:
        aws("s3", "delete_object", **where, VersionId=version["VersionId"])


KINDS: Final = {
    "aws:s3/bucket:Bucket": Kind(
        inputs=names("bucket objectLockEnabled tags"),
        named="bucket",
        create=make_bucket,
        find=lambda aws, identity, state: aws("s3", "head_bucket", Bucket=identity),
        delete=lambda aws, identity, state: aws("s3", "delete_bucket", Bucket=identity),
    ),
    "aws:s3/bucketVersioning:BucketVersioning": configuration(
        "put_bucket_versioning",
        "versioningConfiguration",
        lambda given: {"VersioningConfiguration": pascal(given["versioningConfiguration"])},
        "",
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": configuration(
        "put_bucket_encryption", "rules", encryption, "delete_bucket_encryption"
    ),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": configuration(
        "put_public_access_block",
        "blockPublicAcls blockPublicPolicy ignorePublicAcls restrictPublicBuckets",
        lambda given: {
            "PublicAccessBlockConfiguration": pascal({name: flag for name, flag in given.items() if name != "bucket"})
        },
        "delete_public_access_block",
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": configuration(
        "put_bucket_ownership_controls",
        "rule",
        lambda given: {"OwnershipControls": {"Rules": [pascal(given["rule"])]}},
        "delete_bucket_ownership_controls",
    ),
    "aws:s3/bucketPolicy:BucketPolicy": configuration(
        "put_bucket_policy", "policy", lambda given: {"Policy": given["policy"]}, "delete_bucket_policy"
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": configuration(
        "put_bucket_lifecycle_configuration", "rules", lifecycle, "delete_bucket_lifecycle"
    ),
    "aws:s3/bucketMetric:BucketMetric": Kind(
        inputs=names("bucket name filter"), named="name", create=make_metric, emulated=False
    ),
    "aws:s3/bucketObjectv2:BucketObjectv2": Kind(
        inputs=names("bucket key source sourceHash tags"),
        default_tags=False,
        create=make_object,
        find=lambda aws, identity, state: aws("s3", "head_object", Bucket=state["bucket"], Key=state["key"]),
        delete=remove_object,
    ),
}
