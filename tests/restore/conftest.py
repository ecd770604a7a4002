"""Machines of real etcd processes that look for orders more often than on a cloud."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli import restore as command
from components.node.agent import cluster, member, restore
from tests.restore.machines import Restorable


@pytest.fixture
def machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Restorable]:
    """Three whole members; the command line knows their object store."""
    monkeypatch.setattr(member, "RECONSIDER_SECONDS", 4.0)
    monkeypatch.setattr(cluster, "LIST_SECONDS", 0.7)
    monkeypatch.setattr(restore, "ORDER_SECONDS", 0.3)
    made = Restorable(tmp_path)
    monkeypatch.setattr(command, "memory", lambda engine: made.memory)
    # There is no API server here.
    monkeypatch.setattr(command, "await_ready", lambda engine, begun: 0)
    made.boot()
    made.heal()
    made.present()
    yield made
    made.end()
