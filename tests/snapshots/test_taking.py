"""Snapshots of real etcd processes: on schedule, once, verified, and nothing where something is wrong."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from components.node.agent import take_snapshot
from components.node.agent.background import Background
from components.node.agent.cloud import CloudError
from components.node.agent.defragmentation import size_at
from components.node.agent.snapshot_file import DamagedError, inspect
from components.node.agent.snapshot_store import BrokenSnapshotError, SnapshotStore
from components.node.agent.take_snapshot import SpaceError, before_change
from components.node.lock import ClusterLock
from components.node.snapshots import Reason, Request, RequestKind, Response, SnapshotKeys
from tests.snapshots.bucket_cloud import age
from tests.snapshots.conftest import PLAN, SnapshotWorld
from toolchain import cache

pytestmark = pytest.mark.timeout(120)

KEYS = SnapshotKeys("u1")


def snapshots(world: SnapshotWorld) -> list[str]:
    return [one.name for one in SnapshotStore(world.store_of("member-1"), "u1").catalogue().snapshots]


def leader(world: SnapshotWorld) -> str:
    return next(member.name for member in world.members if size_at(member.address).leader)


def follower(world: SnapshotWorld) -> str:
    return next(member.name for member in world.members if member.name != leader(world))


def test_the_first_snapshot_is_taken_at_once_and_says_what_is_in_it(world: SnapshotWorld) -> None:
    name = follower(world)
    world.round(name)
    (taken,) = snapshots(world)
    metadata = SnapshotStore(world.store_of(name), "u1").metadata(taken)
    assert (metadata.uid, metadata.generation, metadata.member, metadata.reason) == ("u1", 1, name, Reason.SCHEDULE)
    assert abs(metadata.time - time.time()) < 30
    path = world.folder / "downloaded.db"
    world.store_of(name).download(KEYS.database(taken), str(path))
    contents = inspect(cache.binary("etcdutl"), path)
    assert (contents.sha256, contents.bytes, contents.revision) == (metadata.sha256, metadata.bytes, metadata.revision)


def test_a_new_cluster_has_a_minute_to_get_something_worth_saving(
    world: SnapshotWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = follower(world)
    monkeypatch.setattr("components.node.agent.snapshots.FIRST_ROUNDS", 2)
    for _ in range(2):
        world.round(name)
        assert snapshots(world) == []
    world.round(name)
    assert len(snapshots(world)) == 1


def test_all_members_together_take_one(world: SnapshotWorld) -> None:
    for _ in range(4):
        for member in world.members:
            world.round(member.name)
    assert len(snapshots(world)) == 1


def test_the_leader_takes_it_only_when_nobody_else_does(world: SnapshotWorld) -> None:
    name = leader(world)
    for _ in range(2):
        world.round(name)
        assert snapshots(world) == []
    world.round(name)
    assert len(snapshots(world)) == 1


def test_the_next_one_is_taken_when_the_interval_is_over(world: SnapshotWorld) -> None:
    name = follower(world)
    world.round(name)
    age(world.bucket, snapshots(world)[0], "u1", PLAN.interval_seconds - 20)
    world.snapshots.clear()
    world.round(name)
    assert len(snapshots(world)) == 1
    age(world.bucket, snapshots(world)[0], "u1", 40)
    world.snapshots.clear()
    world.round(name)
    assert len(snapshots(world)) == 2


def test_what_is_too_old_goes_when_a_new_one_has_come(world: SnapshotWorld) -> None:
    name = follower(world)
    world.round(name)
    old = age(world.bucket, snapshots(world)[0], "u1", 31 * 86400)
    world.snapshots.clear()
    world.round(name)
    assert old not in snapshots(world)
    assert len(snapshots(world)) == 1


def test_a_locked_snapshot_cannot_be_deleted_before_its_end(world: SnapshotWorld) -> None:
    name = follower(world)
    world.round(name, PLAN.model_copy(update={"locked": True}))
    (taken,) = snapshots(world)
    metadata = SnapshotStore(world.store_of(name), "u1").metadata(taken)
    # The first of its day lives as long as the last tier keeps one.
    assert abs(metadata.retain_until - metadata.time - 30 * 86400) < 2
    for key in (KEYS.database(taken), KEYS.metadata(taken)):
        with pytest.raises(CloudError, match="locked until"):
            world.store_of(name).delete(key)


def test_a_request_is_served_once_and_answered(world: SnapshotWorld) -> None:
    world.round(follower(world))
    world.store_of("member-1").put(KEYS.request(RequestKind.SNAPSHOT), Request(id="r1").encode())
    time.sleep(1.1)
    for member in world.members:
        world.round(member.name)
    answer = Response.model_validate_json(world.store_of("member-1").get(KEYS.response(RequestKind.SNAPSHOT))[0])
    assert (answer.id, answer.error) == ("r1", None)
    assert answer.snapshot == snapshots(world)[-1]
    assert len(snapshots(world)) == 2


def test_a_full_store_is_answered_to_who_asked_and_leaves_no_snapshot(world: SnapshotWorld) -> None:
    name = follower(world)
    world.round(name)
    world.store_of(name).full = True
    world.store_of(name).put(KEYS.request(RequestKind.SNAPSHOT), Request(id="r2").encode())
    background = Background(world.context(name), "snapshots", lambda: world.round(name), 1)
    background.once()
    answer = Response.model_validate_json(world.store_of(name).get(KEYS.response(RequestKind.SNAPSHOT))[0])
    assert answer.error is not None
    assert "the store is full" in answer.error
    assert "the store is full" in world.context(name).concerns["snapshots"]
    assert len(snapshots(world)) == 1
    world.store_of(name).full = False
    background.once()
    assert "snapshots" not in world.context(name).concerns


def test_a_holder_that_died_is_taken_over(world: SnapshotWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    ClusterLock(world.store_of("member-1"), KEYS.lock, "dead").acquire("snapshot", 0.1)
    name = follower(world)
    world.round(name)
    assert snapshots(world) == []
    time.sleep(0.2)
    world.round(name)
    assert len(snapshots(world)) == 1


def test_a_member_without_a_quorum_takes_none(world: SnapshotWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("components.node.agent.snapshots.serves", lambda address: False)
    world.round("member-1")
    assert snapshots(world) == []


def test_a_snapshot_comes_before_a_change_unless_there_is_a_fresh_one(world: SnapshotWorld) -> None:
    context = world.context("member-1")
    addresses = ["127.0.0.254", *(member.address for member in world.members)]
    before_change(context, addresses)
    (taken,) = snapshots(world)
    assert SnapshotStore(context.cloud, "u1").metadata(taken).reason is Reason.CHANGE
    before_change(context, addresses)
    assert snapshots(world) == [taken]


def test_a_change_does_not_wait_for_a_store_that_is_away(world: SnapshotWorld) -> None:
    world.store_of("member-1").down = True
    before_change(world.context("member-1"), [world.members[0].address])


def test_a_full_disk_is_refused_before_anything_is_written(
    world: SnapshotWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(take_snapshot, "RESERVE_BYTES", 1 << 60)
    with pytest.raises(SpaceError, match="bytes are free"):
        world.round(follower(world))
    assert snapshots(world) == []


def test_a_clock_that_jumped_neither_dates_nor_deletes(world: SnapshotWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    name = follower(world)
    world.round(name)
    before = snapshots(world)
    now = time.time
    monkeypatch.setattr("components.node.agent.snapshots.time.time", lambda: now() + 365 * 86400)
    world.snapshots.clear()
    # The bucket is in the same process and has its own clock in a real cloud.
    monkeypatch.setattr(SnapshotStore, "clock", lambda self, written: now())
    world.round(name)
    assert snapshots(world) == before
    assert "clock is +31536000 s off" in world.context(name).concerns["clock"]
    monkeypatch.undo()
    world.snapshots.clear()
    age(world.bucket, before[0], "u1", PLAN.interval_seconds)
    world.round(name)
    assert "clock" not in world.context(name).concerns


@pytest.fixture
def saved(world: SnapshotWorld, tmp_path: Path) -> Path:
    """A snapshot as a file."""
    world.round(follower(world))
    path = tmp_path / "snapshot.db"
    world.store_of("member-1").download(KEYS.database(snapshots(world)[0]), str(path))
    return path


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "its end is missing": lambda content: content[:-100],
    "a page is missing": lambda content: content[:8192] + content[12288:],
    "a bit is another": lambda content: content[:9000] + bytes([content[9000] ^ 1]) + content[9001:],
    "empty": lambda content: b"",
    "another file": lambda content: b"x" * 5000,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_found(saved: Path, damage: str) -> None:
    inspect(cache.binary("etcdutl"), saved)
    saved.write_bytes(DAMAGE[damage](saved.read_bytes()))
    with pytest.raises(DamagedError, match=r"snapshot\.db"):
        inspect(cache.binary("etcdutl"), saved)


def test_metadata_of_another_cluster_is_refused(world: SnapshotWorld) -> None:
    world.round(follower(world))
    (taken,) = snapshots(world)
    store = world.store_of("member-1")
    store.put(KEYS.metadata(taken), store.get(KEYS.metadata(taken))[0].replace(b'"u1"', b'"u2"'))
    with pytest.raises(BrokenSnapshotError, match="is of cluster u2, not of u1"):
        SnapshotStore(store, "u1").metadata(taken)
