"""Whoever owns the host reaches a stack's buckets as its machines do, and unwraps what they had wrapped."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from providers.local.bucket_client import BucketClient
from providers.local.client import Client, CloudRefusalError
from providers.local.wrapping import Wrapping, WrappingError
from tests.provider.conftest import STACK

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="makes a network namespace: needs root")

# Each process of the tests has a cloud of its own, on one host: names of networks are the host's.
PROCESS = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
NETWORK = f"bucket-{PROCESS}"
CIDR = f"10.{170 + PROCESS}.0.0/16"


@pytest.fixture
def bucket(client: Client, put: Callable[..., dict[str, Any]]) -> Iterator[BucketClient]:
    put("net", "Network", name=NETWORK, cidr=CIDR, zones=["zone-a"])
    put("bucket", "Bucket", name="store", network=NETWORK)
    yield BucketClient(client, STACK, "store")


def test_what_was_written_is_listed_read_and_deleted(bucket: BucketClient, tmp_path: Path) -> None:
    etag = bucket.put("clusters/ä b/1", b"\x00content", {})
    bucket.put("other", b"x", {})
    assert [entry["key"] for entry in bucket.list("clusters/")] == ["clusters/ä b/1"]
    assert bucket.get("clusters/ä b/1") == (b"\x00content", etag)
    bucket.download("clusters/ä b/1", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"\x00content"
    bucket.delete("clusters/ä b/1")
    assert bucket.list("clusters/") == []


def test_conditions_and_locks_hold_for_the_owner_too(bucket: BucketClient) -> None:
    bucket.put("a", b"1", {"If-None-Match": "*"})
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 60))
    bucket.put("locked", b"1", {"X-Retain-Until": until})
    for attempt, status in (
        (lambda: bucket.put("a", b"2", {"If-None-Match": "*"}), 412),
        (lambda: bucket.put("a", b"2", {"If-Match": '"other"'}), 412),
        (lambda: bucket.delete("locked"), 403),
        (lambda: bucket.get("missing"), 404),
    ):
        with pytest.raises(CloudRefusalError) as refusal:
            attempt()
        assert refusal.value.status == status


def test_a_stack_has_only_its_own_buckets(bucket: BucketClient, client: Client) -> None:
    with pytest.raises(CloudRefusalError, match="has no bucket 'another'; it has: store"):
        BucketClient(client, STACK, "another").list("")


def test_what_is_wrapped_is_readable_only_by_its_key(tmp_path: Path) -> None:
    wrapping = Wrapping(tmp_path / "key")
    wrapped = wrapping.wrap(b"secret")
    assert b"secret" not in wrapped
    assert Wrapping(tmp_path / "key").unwrap(wrapped) == b"secret"
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    for other, content in ((Wrapping(tmp_path / "other"), wrapped), (wrapping, wrapped[:-1]), (wrapping, b"")):
        with pytest.raises(WrappingError, match="not wrapped by"):
            other.unwrap(content)
