"""What an interrupted engine leaves: its lock, and creates that nobody saw the end of."""

import json
import os
import socket
import subprocess
from pathlib import Path
from typing import Any, cast

import pytest

from cli import pending, stale_lock
from cli.engine import Engine
from tests.cli.engines import LOCAL, resource


def lock(backend: Path, stack: str, **content: object) -> None:
    folder = backend / ".pulumi/locks/organization/kube-ha" / stack
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{len(list(folder.iterdir()))}.json").write_text(json.dumps(content))


def test_only_the_stacks_own_locks_are_read(tmp_path: Path) -> None:
    lock(tmp_path, "local", pid=1)
    lock(tmp_path, "local-critical", pid=2)
    assert stale_lock.read_locks(tmp_path, "local") == [{"pid": 1}]
    assert stale_lock.read_locks(tmp_path / "absent", "local") == []


def test_a_lock_is_left_over_only_if_its_process_was_here_and_is_gone() -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    unburied = subprocess.Popen(["true"])
    os.waitid(os.P_PID, unburied.pid, os.WEXITED | os.WNOWAIT)
    here = socket.gethostname()
    assert stale_lock.left_over({"pid": gone.pid, "hostname": here})
    assert stale_lock.left_over({"pid": unburied.pid, "hostname": here})
    assert not stale_lock.left_over({"pid": os.getpid(), "hostname": here})
    assert not stale_lock.left_over({"pid": gone.pid, "hostname": "another"})
    assert not stale_lock.left_over({"hostname": here})


class Interrupted:
    """An engine whose stack has pending operations; it remembers what it was told to run."""

    def __init__(self, *operations: tuple[str, dict[str, Any]]) -> None:
        self.stack = "local"
        self.operations = operations
        self.told: list[str] = []

    def pending(self) -> list[dict[str, Any]]:
        return [{"type": kind, "resource": found} for kind, found in self.operations]

    def read(self, *arguments: str) -> str:
        self.told += arguments[:2]
        return ""


@pytest.mark.parametrize(
    ("operations", "told"),
    [
        ([], []),
        ([("creating", LOCAL[5])], ["refresh", "--clear-pending-creates"]),
        ([("updating", LOCAL[5])], []),
        ([("creating", LOCAL[5]), ("creating", resource("aws:ec2/vpc:Vpc", "network"))], []),
    ],
)
def test_creates_that_were_interrupted_are_forgotten_where_the_cloud_undoes_them(
    operations: list[tuple[str, dict[str, Any]]], told: list[str]
) -> None:
    engine = Interrupted(*operations)
    pending.forget(cast(Engine, engine))
    assert engine.told == told
