"""A member whose data is damaged is rebuilt only beside a quorum, and etcd takes writes again before it has joined."""

import json
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from components.node.agent import cluster as module
from components.node.agent import member
from components.node.agent.cloud import CloudError
from components.node.agent.cluster import EtcdCluster
from components.node.agent.etcdctl import Etcdctl, ListedMember, MemberList
from components.node.agent.joining import Joining
from components.node.agent.member import Etcd, cluster, joining
from components.node.agent.repair import Repair
from components.node.agent.step import Context, NotYetError
from components.node.agent.systemd import written_after
from components.node.etcd import client_url
from components.node.lock import ClusterLock
from components.node.record import Keys, Record, State, peer_url
from tests.agent.conftest import ME, OTHER, THIRD, idle_member
from tests.agent.processes import Processes

PEERS = (ME, OTHER, THIRD)
RECORD = Record(
    generation=1, token="t", members={one.name: peer_url(one.address) for one in PEERS}, state=State.FORMED  # noqa: S106
)  # fmt: skip
OWN_ID = RECORD.member_id(ME.name)


@pytest.fixture
def damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    """A member with data; the others answer as a quorum."""
    made = idle_member(tmp_path)
    log = made.paths.etcd_volume / f"u1-1-{OWN_ID:x}" / "member/wal/0.wal"
    log.parent.mkdir(parents=True)
    log.touch()
    made.cloud.put(Keys("u1").record, RECORD.encode())
    listed = tuple(
        ListedMember(RECORD.member_id(one.name), one.name, (peer_url(one.address),), learner=False) for one in PEERS
    )
    monkeypatch.setattr(EtcdCluster, "_list", lambda self, endpoint: MemberList(RECORD.cluster_id, listed))
    monkeypatch.setattr(module, "answers", lambda url, timeout: ME.address not in url)
    return made


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was done to etcd, in order."""
    made: list[str] = []

    def disarm(self: Etcdctl, endpoints: Sequence[str]) -> None:
        made.append(f"disarmed at {', '.join(endpoints)}")

    monkeypatch.setattr(Etcdctl, "disarm", disarm)
    monkeypatch.setattr(Joining, "settle", lambda self: made.append("settled"))
    return made


def test_its_alarm_is_cleared_at_a_member_that_is_left(damaged: Context, done: list[str]) -> None:
    Repair(joining).rebuild(damaged, cluster(damaged), "crc mismatch")
    cleared, settled = done
    assert cleared in {f"disarmed at {client_url(one.address)}" for one in (OTHER, THIRD)}
    assert settled == "settled"
    assert list((damaged.paths.etcd_volume / "set-aside").iterdir()), "nothing is deleted"


class Journal(Processes):
    """etcd's output as the journal keeps it."""

    def __init__(self, log: Path) -> None:
        super().__init__(log)
        self.entries: list[str] = []

    def says(self, message: str | list[int]) -> None:
        entry = {"__MONOTONIC_TIMESTAMP": str(int(time.monotonic() * 1e6)), "MESSAGE": message}
        self.entries.append(json.dumps(entry))

    def output_end(self, unit: str, since: float) -> str:
        return written_after("\n".join(self.entries), since)


def test_damage_after_a_rebuild_is_found_though_the_clock_was_set_back_and_what_was_said_before_is_not(
    damaged: Context, done: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    journal = Journal(tmp_path / "log")
    damaged.services, repair = journal, Repair(joining)
    journal.says("panic: page 3 already freed")
    repair.crashed(damaged, cluster(damaged))
    assert done[-1:] == ["settled"]
    done.clear()
    repair.crashed(damaged, cluster(damaged))
    assert done == []
    new = damaged.paths.etcd_volume / f"u1-1-{OWN_ID:x}" / "member/wal/0.wal"
    new.parent.mkdir(parents=True)
    new.touch()
    hour_ago = time.time() - 3600
    monkeypatch.setattr(time, "time", lambda: hour_ago)
    journal.says(list(b"\x1b[31mpanic: page 4 already freed"))
    repair.crashed(damaged, cluster(damaged))
    assert done[-1:] == ["settled"]


def test_without_a_quorum_of_others_its_data_stays(
    damaged: Context, done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "answers", lambda url, timeout: OTHER.address in url)
    with pytest.raises(NotYetError, match="no quorum without it"):
        Repair(joining).rebuild(damaged, cluster(damaged), "crc mismatch")
    assert done == []
    assert not (damaged.paths.etcd_volume / "set-aside").exists()


def test_a_lock_that_the_store_did_not_let_it_free_is_freed_at_a_tick(
    damaged: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(member, "answers", lambda url, timeout: True)
    step = Etcd()
    step.tick(damaged)
    with pytest.raises(CloudError), damaged.lock.hold("repair", 180):
        damaged.cloud.down = True  # type: ignore[attr-defined]
    damaged.cloud.down = False  # type: ignore[attr-defined]
    step.tick(damaged)
    ClusterLock(damaged.cloud, Keys("u1").lock, OTHER.name).acquire("membership", 60)
