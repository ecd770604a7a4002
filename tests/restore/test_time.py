"""How long a restore and a rebuild take by size of data, with the waiting times that machines have: prints a line each.

Alone on its machine: `python -m pytest -m campaign tests/restore/test_time.py`.
"""

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli import restore as command
from components.node.record import REVISIONS
from components.node.restore import RestoreKeys
from components.node.snapshots import SnapshotKeys
from tests.agent.processes import eventually
from tests.healing import machines as healing
from tests.healing.kv import Kv
from tests.healing.writer import Writer
from tests.restore.machines import UID, Restorable
from toolchain.cache import binary

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(900)]

AGENT_TICK_SECONDS = 2.0
GOAL_SECONDS = 20.0
"""From the command to the first acknowledged write, beyond what etcdutl needs for the same file."""

OBJECT_BYTES = 1024
"""About what a small Kubernetes object takes in etcd."""


@pytest.fixture
def machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Restorable]:
    """Three whole members at an agent's own pace."""
    monkeypatch.setattr(healing, "TICK_SECONDS", AGENT_TICK_SECONDS)
    made = Restorable(tmp_path)
    monkeypatch.setattr(command, "memory", lambda engine: made.memory)
    monkeypatch.setattr(command, "await_ready", lambda engine, begun: 0)
    made.boot()
    made.heal()
    made.present()
    yield made
    made.end()


def fill(machines: Restorable, objects: int) -> None:
    client = Kv(machines.machines["member-1"], machines.members[0].address)
    client.fill("/registry/configmaps/filling/", objects, os.urandom(OBJECT_BYTES))
    client.close()


def alone(machines: Restorable, name: str) -> float:
    """Seconds that etcdutl takes to restore the same file."""
    file, target = machines.folder / "alone.db", machines.folder / "alone"
    machines.store.download(SnapshotKeys(UID).database(name), str(file))
    words = ["snapshot", "restore", file, "--data-dir", target, "--bump-revision", REVISIONS, "--mark-compacted"]
    begun = time.monotonic()
    subprocess.run([binary("etcdutl"), *map(str, words)], check=True, capture_output=True)
    seconds = time.monotonic() - begun
    shutil.rmtree(target)
    file.unlink()
    return seconds


@pytest.mark.parametrize("objects", [1_000, 100_000])
def test_a_restore_takes_little_more_than_etcdutl(
    machines: Restorable, objects: int, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(machines, objects)
    snapshot = machines.snapshot()
    tool = alone(machines, snapshot.name)
    client = Kv(machines.machines["member-1"], machines.members[0].address)
    before = machines.record().cluster_id
    begun = time.monotonic()
    ordering = threading.Thread(target=machines.restore, kwargs={"yes": True})
    ordering.start()
    while (said := client.acknowledged("after", b"x")) is None or said.cluster_id == before:
        assert time.monotonic() - begun < 120
        time.sleep(0.05)
    first = time.monotonic() - begun
    ordering.join(60)
    machines.heal()
    whole = time.monotonic() - begun
    client.close()
    size = machines.status("member-1").database_bytes / 1024**2
    with capsys.disabled():
        print(
            f"\nrestore, {objects} objects, {size:.0f} MiB: first write {first:.1f} s, all whole {whole:.1f} s,"
            f" etcdutl alone {tool:.1f} s"
        )
    assert first < tool + GOAL_SECONDS


@pytest.mark.parametrize("objects", [1_000, 100_000, 400_000])
def test_a_blank_volume_is_a_voting_member_again(
    machines: Restorable, objects: int, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(machines, objects)
    size = machines.status("member-1").database_bytes / 1024**2
    leader = machines.leader()
    writer = Writer(machines)
    eventually(lambda: len(writer.times) > 20, 30, "load runs")
    begun = time.monotonic()
    machines.die(leader)
    machines.empty(leader)
    machines.boot(leader)
    machines.heal(300)
    seconds = time.monotonic() - begun
    writer.stop()
    with capsys.disabled():
        print(
            f"\nblank volume of the leader, {objects} objects, {size:.0f} MiB: three voters after {seconds:.1f} s,"
            f" longest gap of writes {writer.longest_gap():.2f} s, {len(writer.times)} acknowledged"
        )
    assert not writer.lost()


def test_a_restore_beside_a_dead_machine_does_not_wait_for_it(
    machines: Restorable, capsys: pytest.CaptureFixture[str]
) -> None:
    snapshot = machines.snapshot()
    machines.die("member-3")
    begun = time.time()
    order = machines.order(snapshot)
    machines.await_finished(order)
    keys = RestoreKeys(UID, order.generation)
    at = {one.key.removeprefix(keys.prefix): one.modified for one in machines.store.list(keys.prefix)}
    first, second = sorted(at[key] for key in at if key.startswith("left/"))
    with capsys.disabled():
        print(
            f"\nrestore with one of three dead: order to first member's leave {first - begun:.1f} s,"
            f" second follows after {second - first:.1f} s, serves after {at['finished'] - first:.1f} s"
        )
    assert second - first < AGENT_TICK_SECONDS + 1
