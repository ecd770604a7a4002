"""The stack's bucket, by S3."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from components.node.agent.cloud import ConflictError, NotFoundError, StoredObject
from components.node.agent.clouds.aws_errors import translated


class Objects:
    """A bucket. `s3` gives boto3's client for S3; `transfers` another one, with time for large files."""

    def __init__(self, bucket: str, s3: Callable[[], Any], transfers: Callable[[], Any]) -> None:
        self._bucket, self._s3, self._transfers = bucket, s3, transfers

    def get(self, key: str) -> tuple[bytes, str]:
        with translated(key):
            answer = self._s3().get_object(Bucket=self._bucket, Key=key)
            return answer["Body"].read(), str(answer["ETag"])

    def put(
        self, key: str, content: bytes, *, if_absent: bool = False, if_match: str | None = None,
        retain_until: float | None = None,
    ) -> str:  # fmt: skip
        conditions = {"IfNoneMatch": "*"} if if_absent else {} if if_match is None else {"IfMatch": if_match}
        try:
            with translated(key):
                answer = self._s3().put_object(
                    Bucket=self._bucket, Key=key, Body=content, **conditions, **locked(retain_until)
                )
                return str(answer["ETag"])
        except NotFoundError as error:
            # What should be replaced is gone: somebody else was first here too.
            raise ConflictError(str(error)) from None

    def delete(self, key: str) -> None:
        with translated(key):
            self._s3().delete_object(Bucket=self._bucket, Key=key)

    def list(self, prefix: str) -> list[StoredObject]:
        with translated(f"{prefix}*"):
            pages = self._s3().get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
            found = [entry for page in pages for entry in page.get("Contents", [])]
        objects = [
            StoredObject(entry["Key"], entry["Size"], entry["ETag"], entry["LastModified"].timestamp())
            for entry in found
        ]
        return sorted(objects, key=lambda entry: entry.key)

    def download(self, key: str, path: str) -> None:
        with translated(key):
            self._transfers().download_file(self._bucket, key, path)

    def upload(self, key: str, path: str, *, retain_until: float | None = None) -> None:
        with translated(key):
            self._transfers().upload_file(path, self._bucket, key, ExtraArgs=locked(retain_until) or None)


def locked(retain_until: float | None) -> dict[str, Any]:
    """What locks an object for its own life: nobody, the account's owner included, deletes it before."""
    if retain_until is None:
        return {}
    return {
        "ObjectLockMode": "COMPLIANCE",
        "ObjectLockRetainUntilDate": datetime.fromtimestamp(retain_until, UTC),
        # S3 asks for one with a lock.
        "ChecksumAlgorithm": "SHA256",
    }
