"""A cloud whose object store is the local cloud's own: with dates, conditions and locks."""

import time
from collections.abc import Iterator
from pathlib import Path

from components.node.agent.cloud import (
    AccessDeniedError,
    CloudError,
    ConflictError,
    Instance,
    NotFoundError,
    StoredObject,
)
from components.node.snapshots import Snapshot, SnapshotKeys
from providers.local.objects import Bucket, Condition, PreconditionError, RetainedError
from tests.agent.memory_cloud import MemoryCloud


class BucketCloud(MemoryCloud):
    """`Cloud` for tests. Several machines may share `bucket`."""

    def __init__(self, instance: Instance, bucket: Bucket, secrets: dict[str, bytes]) -> None:
        super().__init__(instance, {}, secrets)
        self.bucket = bucket
        self.full = False

    def get(self, key: str) -> tuple[bytes, str]:
        self._answer()
        try:
            entry, file = self.bucket.open(key)
        except KeyError:
            raise NotFoundError(key) from None
        with file:
            return file.read(), entry.etag

    def put(
        self, key: str, content: bytes, *, if_absent: bool = False, if_match: str | None = None,
        retain_until: float | None = None,
    ) -> str:  # fmt: skip
        return self._write(key, iter([content]), Condition(if_absent, if_match), retain_until)

    def delete(self, key: str) -> None:
        self._answer()
        try:
            self.bucket.delete(key)
        except RetainedError as error:
            raise AccessDeniedError(str(error)) from None

    def list(self, prefix: str) -> list[StoredObject]:
        self._answer()
        return [StoredObject(e.key, e.size, e.etag, e.modified) for e in self.bucket.list(prefix)]

    def upload(self, key: str, path: str, *, retain_until: float | None = None) -> None:
        if self.full:
            raise CloudError("507: the store is full")
        self._write(key, iter([Path(path).read_bytes()]), Condition(), retain_until)

    def _write(self, key: str, content: Iterator[bytes], condition: Condition, retain_until: float | None) -> str:
        self._answer()
        try:
            return self.bucket.put(key, content, condition, retain_until or 0).etag
        except PreconditionError as error:
            raise ConflictError(str(error)) from None
        except RetainedError as error:
            raise AccessDeniedError(str(error)) from None


def age(bucket: Bucket, name: str, uid: str, seconds: float) -> str:
    """Make a snapshot `seconds` older, by its name; its new name."""
    old = Snapshot.parse(name)
    assert old is not None
    new = Snapshot(int(old.time - seconds), old.revision).name
    for key in (SnapshotKeys(uid).database, SnapshotKeys(uid).metadata):
        entry, file = bucket.open(key(name))
        with file:
            bucket.put(key(new), iter([file.read()]), retain_until=entry.retain_until and time.time() + 60)
        bucket.delete(key(name), force=True)
    return new
