"""A snapshot that could not be restored is found out before it is needed: `make prove`, metrics and machines say so."""

import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from components.node.agent.status import PORT
from providers.local.bucket_client import BucketClient
from providers.local.client import Client
from tests.machines.stack import Stack, eventually

pytestmark = [pytest.mark.machines, pytest.mark.timeout(900)]

SAID_SECONDS = 90.0
"""Agents look at themselves every two seconds."""


def test_a_damaged_snapshot_is_told_from_a_good_one(stack: Stack) -> None:
    name = stack.make("snapshot").output.split()[-1]
    # By its name: a scheduled one may be the newest by now.
    said = stack.make("prove", f"SNAPSHOT={name}").output
    print(said)
    assert f"{name}: proven" in said
    eventually(lambda: "1" in proven(stack), lambda: proven(stack), SAID_SECONDS)
    with damaged(stack, name):
        said = stack.make("prove", f"SNAPSHOT={name}", fails=True).output
        print(said)
        assert f"{name}: NOT GOOD" in said
        assert "sha256 is" in said
        eventually(lambda: "0" in proven(stack), lambda: proven(stack), SAID_SECONDS)
        eventually(lambda: "is not good" in messages(stack), lambda: messages(stack), SAID_SECONDS)
        assert "NOT GOOD" in stack.make("snapshots").output
    assert f"{name}: proven" in stack.make("prove", f"SNAPSHOT={name}").output


def proven(stack: Stack) -> set[str]:
    """What masters' metrics say about the last drill that each knows of."""
    gauge = "kube_ha_restore_drill_proven "
    found: set[str] = set()
    for machine in stack.cluster.of("master"):
        with urllib.request.urlopen(f"http://{machine.address}:{PORT}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        found.update(line.removeprefix(gauge) for line in lines if line.startswith(gauge))
    return found


def messages(stack: Stack) -> str:
    """What machines say about themselves, a line each."""
    return "\n".join(view.message for view in stack.machines().values())


@contextmanager
def damaged(stack: Stack, name: str) -> Iterator[None]:
    """One bit of a snapshot is another in the object store."""
    bucket = BucketClient(Client(), stack.name, stack.name)
    (key,) = (one["key"] for one in bucket.list("clusters/") if one["key"].endswith(f"/{name}/snapshot.db"))
    content, _ = bucket.get(key)
    middle = len(content) // 2
    bucket.put(key, content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :], {})
    try:
        yield
    finally:
        bucket.put(key, content, {})
