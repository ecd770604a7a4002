"""Whoever owns the account reads, orders and unwraps what machines have put into the stack's bucket."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from cli.engine import EngineError
from cli.object_store import Memory, memory
from components.node.agent.cloud import ConflictError, NotFoundError
from tests.aws.agent.conftest import Machine
from tests.aws.agent.world import BUCKET, REGION, UID, World, judge

PKI = {"type": "kube-ha:index:Pki", "outputs": {"uid": UID}}
STORE = {"type": "aws:s3/bucket:Bucket", "outputs": {"bucket": BUCKET, "region": REGION}}


def engine(*resources: dict[str, Any]) -> Any:
    """`Engine` of a stack with these resources."""
    return SimpleNamespace(stack="small-aws", select=lambda: None, resources=lambda: list(resources))


@pytest.fixture
def owned(machine: Machine, world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Memory]:
    """The stack's memory, with the credentials of the account's owner in the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "owner")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "owner")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    judge(world.url, calls=False)
    yield memory(engine(PKI, STORE))
    judge(world.url, calls=True)


def test_the_owner_orders_what_nobody_ordered_before(owned: Memory) -> None:
    key = f"clusters/{owned.uid}/restore.json"
    with pytest.raises(NotFoundError):
        owned.store.get(key)
    etag = owned.store.put(key, b"first", if_absent=True)
    with pytest.raises(ConflictError):
        owned.store.put(key, b"second", if_absent=True)
    owned.store.put(key, b"second", if_match=etag)
    assert owned.store.get(key)[0] == b"second"
    assert [entry.key for entry in owned.store.list(key)] == [key]
    owned.store.delete(key)
    assert owned.store.list(key) == []


def test_the_owner_fetches_and_unwraps_what_a_machine_wrapped(owned: Memory, machine: Machine, tmp_path: Path) -> None:
    content = b"recovery key" * 1000
    key = f"clusters/{owned.uid}/keys/2026-11/0.wrapped"
    owned.store.put(key, machine.cloud.wrap(content))
    owned.store.download(key, str(tmp_path / "wrapped"))
    assert owned.store.unwrap((tmp_path / "wrapped").read_bytes()) == content
    owned.store.delete(key)


def test_a_stack_without_a_store_that_is_reached_says_so() -> None:
    with pytest.raises(EngineError, match="is not up, or its control plane is managed"):
        memory(engine())
    with pytest.raises(EngineError, match="in a cloud that this command line does not reach"):
        memory(engine(PKI, {"type": "azure-native:storage:BlobContainer", "outputs": {}}))
