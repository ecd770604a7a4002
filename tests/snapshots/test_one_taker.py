"""Who takes a snapshot, and what counts as one: without etcd, so that every step in between can be seen."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from components.node.agent import snapshots, take_snapshot
from components.node.agent.background import Background
from components.node.agent.cloud import CloudError, Instance
from components.node.agent.defragmentation import Size
from components.node.agent.etcdctl import Etcdctl
from components.node.agent.log import Log
from components.node.agent.snapshot_file import Contents
from components.node.agent.snapshot_store import BrokenSnapshotError, SnapshotStore
from components.node.agent.snapshots import Snapshots
from components.node.agent.step import Context, Paths
from components.node.agent.take_snapshot import FRESH_SECONDS, before_change, lock_of, take
from components.node.lock import ClusterLock, LockLostError
from components.node.machine import Peer, Role
from components.node.record import Keys, Record, State
from components.node.snapshots import LEFTOVER_SECONDS, Reason, Request, RequestKind, Snapshot, SnapshotKeys
from providers.local import objects
from providers.local.objects import Bucket
from tests.agent.conftest import document
from tests.agent.processes import Processes
from tests.snapshots.bucket_cloud import BucketCloud, age
from tests.snapshots.conftest import DAY, HOUR, PLAN

MEMBERS = tuple(Peer(name=f"member-{i}", zone="z", address=f"10.0.{i}.21") for i in (1, 2, 3))
KEYS = SnapshotKeys("u1")
CONTENT = b"what etcd streams"

STORE_TIME = 1_700_000_000.0 // DAY * DAY
"""Years ago, at the beginning of a day."""


class Store(BucketCloud):
    """One that says which deletions it was asked for, and that may lose the end of what is sent or fall silent."""

    def __init__(self, instance: Instance, bucket: Bucket) -> None:
        super().__init__(instance, bucket, {})
        self.keeps: int | None = None
        """Bytes that it keeps of an upload; None: all."""
        self.deleted: list[str] = []
        self.deletions = 10**6
        """How many it does before it falls silent."""

    def upload(self, key: str, path: str, *, retain_until: float | None = None) -> None:
        self.put(key, Path(path).read_bytes()[: self.keeps], retain_until=retain_until)

    def delete(self, key: str) -> None:
        if len(self.deleted) >= self.deletions:
            raise CloudError("the store fell silent")
        self.deleted.append(key)
        super().delete(key)


@pytest.fixture
def member(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Context]:
    """A follower whose etcd is well and streams `CONTENT`, before the cluster's first snapshot."""
    instance = Instance("i", "g", "member-1", "z", MEMBERS[0].address, "t", "t")
    made = Context(
        machine=document("member-1", MEMBERS, role=Role.MEMBER).model_copy(update={"snapshots": PLAN}),
        cloud=Store(instance, Bucket(tmp_path / "bucket")), instance=instance, log=Log(console=None),
        services=Processes(tmp_path / "log"), paths=Paths(tmp_path),
    )  # fmt: skip
    record = Record(generation=3, token="t", members={"m": "https://x:2380"}, state=State.FORMED)  # noqa: S106
    made.cloud.put(Keys("u1").record, record.encode())
    streams(monkeypatch)
    for module in (snapshots, take_snapshot):
        monkeypatch.setattr(module, "serves", lambda address: True)
        monkeypatch.setattr(module, "size_at", lambda address: Size(1000, 1000, leader=False))
    monkeypatch.setattr(snapshots, "FIRST_ROUNDS", 0)
    yield made


def streams(monkeypatch: pytest.MonkeyPatch, meanwhile: ClusterLock | None = None) -> None:
    """Saving is a matter of no time, or of so long that another machine takes the lock over."""

    def save(self: Etcdctl, endpoint: str, path: Path) -> None:
        path.write_bytes(CONTENT)
        if meanwhile is not None:
            meanwhile._store.put(KEYS.lock, meanwhile._store.get(KEYS.lock)[0] + b" ")

    monkeypatch.setattr(Etcdctl, "save_snapshot", save)
    contents = Contents(sha256="s", bytes=len(CONTENT), revision=7, keys=5, etcd="3.7.0")
    monkeypatch.setattr(take_snapshot, "inspect", lambda etcdutl, path: contents)


def store_of(context: Context) -> Store:
    assert isinstance(context.cloud, Store)
    return context.cloud


def names(context: Context) -> list[str]:
    return [one.name for one in SnapshotStore(context.cloud, "u1").catalogue().snapshots]


def taken(context: Context) -> str:
    """One more."""
    held = lock_of(context)
    with held.hold("snapshot", 60):
        return take(context, held, context.machine.address, Reason.SCHEDULE).name


def another_takes_one(context: Context) -> None:
    ClusterLock(context.cloud, KEYS.lock, "member-2").acquire("snapshot", 600)


def test_what_is_due_is_left_to_the_member_that_is_at_it(member: Context) -> None:
    another_takes_one(member)
    Snapshots().round(member)
    assert names(member) == []


def test_what_is_asked_for_is_left_to_the_member_that_is_at_it(member: Context) -> None:
    taken(member)
    another_takes_one(member)
    member.cloud.put(KEYS.request(RequestKind.SNAPSHOT), Request(id="r").encode())
    Snapshots().round(member)
    assert len(names(member)) == 1
    assert member.cloud.get(KEYS.request(RequestKind.SNAPSHOT)), "whoever is at it answers it"


def test_a_request_that_another_member_served_meanwhile_is_not_served_again(
    member: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken(member)
    member.cloud.put(KEYS.request(RequestKind.SNAPSHOT), Request(id="r").encode())
    acquire = ClusterLock.acquire

    def awaited(self: ClusterLock, purpose: str, seconds: float) -> object:
        member.cloud.delete(KEYS.request(RequestKind.SNAPSHOT))
        return acquire(self, purpose, seconds)

    monkeypatch.setattr(ClusterLock, "acquire", awaited)
    monkeypatch.setattr(snapshots, "take", lambda *arguments: pytest.fail("it was served already"))
    Snapshots().round(member)


def test_whoever_was_overtaken_while_saving_adds_nothing(member: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    streams(monkeypatch, meanwhile=lock_of(member))
    with pytest.raises(LockLostError):
        taken(member)
    assert names(member) == []
    assert not member.cloud.list(f"{KEYS.prefix}2")


def test_an_upload_that_the_store_did_not_keep_whole_is_no_snapshot(member: Context) -> None:
    store_of(member).keeps = 5
    with pytest.raises(BrokenSnapshotError, match=f"{len(CONTENT)} bytes were sent, the store has 5"):
        taken(member)
    assert names(member) == []


def test_metadata_says_what_a_restore_has_to_know(member: Context) -> None:
    metadata = SnapshotStore(member.cloud, "u1").metadata(taken(member))
    assert (metadata.generation, metadata.etcd, metadata.sha256, metadata.keys) == (3, "3.7.0", "s", 5)
    assert (metadata.kubernetes, metadata.retain_until) == ("v1.37.2", 0)


def test_nobody_asks_for_the_deletion_of_what_is_locked(member: Context) -> None:
    """A store with versions would hide it and call that deleted."""
    old = age(store_of(member).bucket, taken(member), "u1", 40 * DAY)
    known = SnapshotStore(member.cloud, "u1")
    locked = known.metadata(old)
    member.cloud.put(KEYS.metadata(old), locked.model_copy(update={"retain_until": locked.time + DAY}).encode())
    newest = taken(member)
    assert known.thin(PLAN, locked.time + DAY - 1) == []
    assert store_of(member).deleted == []
    assert known.thin(PLAN, locked.time + DAY + 1) == [old]
    assert names(member) == [newest]


def test_a_deletion_that_is_cut_short_leaves_no_snapshot_without_content(member: Context) -> None:
    old = age(store_of(member).bucket, taken(member), "u1", 40 * DAY)
    newest = taken(member)
    known = SnapshotStore(member.cloud, "u1")
    now = known.metadata(newest).time
    store_of(member).deletions = 1
    with pytest.raises(CloudError):
        known.thin(PLAN, now)
    assert names(member) == [newest]
    store_of(member).deletions = 10**6
    assert known.thin(PLAN, now) == [old], "what is left of it goes the next time"


def test_an_upload_that_may_still_go_on_is_not_deleted(member: Context) -> None:
    name = taken(member)
    known = SnapshotStore(member.cloud, "u1")
    begun = known.metadata(name).time
    member.cloud.delete(KEYS.metadata(name))
    assert known.thin(PLAN, begun + LEFTOVER_SECONDS - 5) == []
    assert known.thin(PLAN, begun + LEFTOVER_SECONDS + 5) == [name]


def test_a_change_does_not_wait_for_the_snapshot_of_a_large_database(
    member: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = take_snapshot.CHEAP_BYTES
    monkeypatch.setattr(take_snapshot, "size_at", lambda address: Size(size + 1, size, leader=False))
    before_change(member, [member.machine.address])
    assert names(member) == []
    monkeypatch.setattr(take_snapshot, "size_at", lambda address: Size(size, size, leader=False))
    before_change(member, [member.machine.address])
    assert len(names(member)) == 1


@pytest.mark.parametrize(("behind", "another"), [(0, False), (5, False), (FRESH_SECONDS - 5, False), (3600, True)])
def test_a_clock_that_is_behind_makes_no_snapshot_fresh(
    member: Context, monkeypatch: pytest.MonkeyPatch, behind: float, another: bool
) -> None:
    taken(member)
    here = time.time() - behind
    with monkeypatch.context() as patch:
        patch.setattr(take_snapshot, "time", SimpleNamespace(time=lambda: here, monotonic=time.monotonic))
        before_change(member, [member.machine.address])
    taken_for_it = {SnapshotStore(member.cloud, "u1").metadata(name).reason for name in names(member)}
    assert (Reason.CHANGE in taken_for_it) is another


@pytest.fixture
def store_clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the store says that time is: the last of these."""
    made = [STORE_TIME]
    monkeypatch.setattr(objects, "time", SimpleNamespace(time=lambda: made[-1]))
    return made


def test_how_old_and_large_the_newest_is_can_be_scraped(member: Context, store_clock: list[float]) -> None:
    Snapshots().round(member)
    said = set(member.metrics.render().splitlines())
    assert {
        "kube_ha_snapshots 1",
        f"kube_ha_snapshot_timestamp_seconds {STORE_TIME:.15g}",
        f"kube_ha_snapshot_bytes {len(CONTENT)}",
        "kube_ha_snapshot_revision 7",
        'kube_ha_snapshots_taken_total{reason="schedule"} 1',
    } <= said
    assert any(line.startswith("kube_ha_snapshot_seconds ") for line in said)


def test_what_is_dated_and_thinned_is_so_by_the_stores_clock(member: Context, store_clock: list[float]) -> None:
    old = age(store_of(member).bucket, taken(member), "u1", 29 * DAY)
    store_clock.append(STORE_TIME + 900)
    Snapshots().round(member)
    assert names(member) == [old, Snapshot(int(store_clock[-1]), 7).name], (
        "by this machine's clock the old one would go"
    )
    (ahead,) = re.findall("^kube_ha_clock_offset_seconds (.*)$", member.metrics.render(), re.M)
    assert float(ahead) == pytest.approx(time.time() - store_clock[-1], abs=60)
    assert "off the object store's" in member.concerns["clock"]


def test_each_is_locked_for_its_own_life(member: Context, store_clock: list[float]) -> None:
    plan = PLAN.model_copy(update={"locked": True})
    member.machine = member.machine.model_copy(update={"snapshots": plan})
    lives = []
    # The first of its day, the first of another hour, another one of that hour.
    for seconds in (0, HOUR, HOUR + 900):
        store_clock.append(STORE_TIME + seconds)
        name = taken(member)
        retained = {entry.retain_until for entry in store_of(member).bucket.list(f"{KEYS.prefix}{name}/")}
        lives.append({until - store_clock[-1] for until in retained})
    assert lives == [{30 * DAY}, {7 * DAY}, {DAY}]


def test_a_leader_waits_anew_each_time(member: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "size_at", lambda address: Size(1000, 1000, leader=True))
    age(store_of(member).bucket, taken(member), "u1", PLAN.interval_seconds)
    step = Snapshots()
    for _ in range(snapshots.LEADER_ROUNDS):
        step.round(member)
    another = taken(member)
    step.round(member)
    age(store_of(member).bucket, another, "u1", PLAN.interval_seconds + 5)
    step._newest = None
    step._look(member)
    for _ in range(snapshots.LEADER_ROUNDS):
        step.round(member)
        assert len(names(member)) == 2
    step.round(member)
    assert len(names(member)) == 3


def test_a_machine_that_leaves_takes_one_and_leaves_no_file_behind(member: Context) -> None:
    Snapshots().leave(member)
    (name,) = names(member)
    assert SnapshotStore(member.cloud, "u1").metadata(name).reason is Reason.CHANGE
    assert list((member.paths.state / "snapshots").iterdir()) == []


def test_what_an_agent_left_when_it_crashed_is_removed(member: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    left = member.paths.state / "snapshots/tmp1/snapshot.db"
    left.parent.mkdir(parents=True)
    left.write_bytes(CONTENT)
    monkeypatch.setattr(Background, "start", lambda self: None)
    Snapshots().run(member)
    assert not left.exists()


def test_a_change_does_not_wait_for_a_snapshot_that_another_takes(member: Context) -> None:
    another_takes_one(member)
    before_change(member, [member.machine.address])
    assert names(member) == []
