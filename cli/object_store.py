"""A stack's object store and the cluster that it is the memory of, as whoever owns the stack reaches them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol

from cli.engine import Engine, EngineError
from components.node.agent.cloud import AccessDeniedError, CloudError, ConflictError, NotFoundError, StoredObject
from providers.local.bucket_client import BucketClient
from providers.local.client import Client, CloudRefusalError, UnreachableError

_ERRORS: Final[dict[int, type[CloudError]]] = {403: AccessDeniedError, 404: NotFoundError, 412: ConflictError}


class Store(Protocol):
    """The part of the agent's `Cloud` that is its object store, and what only an owner may. Raises `CloudError`."""

    def get(self, key: str) -> tuple[bytes, str]: ...

    def put(
        self, key: str, content: bytes, *, if_absent: bool = False, if_match: str | None = None,
        retain_until: float | None = None,
    ) -> str: ...  # fmt: skip

    def delete(self, key: str) -> None: ...

    def list(self, prefix: str) -> list[StoredObject]: ...

    def download(self, key: str, path: str) -> None: ...

    def unwrap(self, wrapped: bytes) -> bytes:
        """What a machine had wrapped by its cloud."""


class LocalStore:
    """`Store` by the local cloud's control API."""

    def __init__(self, bucket: BucketClient) -> None:
        self._bucket = bucket

    def get(self, key: str) -> tuple[bytes, str]:
        """Content and etag."""
        with _as_cloud_errors():
            return self._bucket.get(key)

    def put(
        self, key: str, content: bytes, *, if_absent: bool = False, if_match: str | None = None,
        retain_until: float | None = None,
    ) -> str:  # fmt: skip
        """Write an object, conditionally if asked, locked until a Unix time if asked; its etag."""
        headers = (
            {} if retain_until is None else {"X-Retain-Until": datetime.fromtimestamp(retain_until, UTC).isoformat()}
        )
        if if_absent:
            headers["If-None-Match"] = "*"
        if if_match is not None:
            headers["If-Match"] = if_match
        with _as_cloud_errors():
            return self._bucket.put(key, content, headers)

    def delete(self, key: str) -> None:
        """Delete an object; one that is gone is fine."""
        with _as_cloud_errors():
            self._bucket.delete(key)

    def list(self, prefix: str) -> list[StoredObject]:
        """Objects whose key starts with `prefix`, sorted by key."""
        with _as_cloud_errors():
            return [StoredObject(**entry) for entry in self._bucket.list(prefix)]

    def download(self, key: str, path: str) -> None:
        """Write an object to a file."""
        with _as_cloud_errors():
            self._bucket.download(key, Path(path))

    def unwrap(self, wrapped: bytes) -> bytes:
        """What a machine had wrapped by its cloud."""
        with _as_cloud_errors():
            return self._bucket.unwrap(wrapped)


@dataclass(frozen=True)
class Memory:
    """Where a cluster keeps what outlives its machines."""

    uid: str
    store: Store


def memory(engine: Engine) -> Memory:
    """Of a stack that is up.

    Raises:
        EngineError: it is not, or its store is in a cloud that this command line does not reach yet.
    """
    resources = engine.resources()
    uids = [resource["outputs"]["uid"] for resource in resources if resource["type"] == "kube-ha:index:Pki"]
    if not uids:
        raise EngineError(
            f"stack {engine.stack} is not up, or its control plane is managed: make up STACK={engine.stack}"
        )
    for resource in resources:
        if resource["type"] in STORES:
            return Memory(uids[0], STORES[resource["type"]](engine.stack, resource["outputs"]))
    raise EngineError(f"stack {engine.stack}: its snapshots are in a cloud that this command line does not reach")


def _local(stack: str, bucket: Mapping[str, Any]) -> Store:
    return LocalStore(BucketClient(Client(), stack, bucket["name"]))


def _aws(stack: str, bucket: Mapping[str, Any]) -> Store:
    # Slow to import, and nobody else's business.
    from cli.aws_store import AwsStore  # noqa: PLC0415

    return AwsStore(bucket["bucket"], bucket.get("region"))


STORES: Final[Mapping[str, Callable[[str, Mapping[str, Any]], Store]]] = {
    "local:index:Bucket": _local,
    "aws:s3/bucket:Bucket": _aws,
}
"""Type of a stack's bucket in its state → the store, from the stack's name and the bucket's outputs."""


@contextmanager
def _as_cloud_errors() -> Iterator[None]:
    try:
        yield
    except CloudRefusalError as error:
        raise _ERRORS.get(error.status, CloudError)(str(error)) from None
    except UnreachableError as error:
        raise CloudError(str(error)) from None
