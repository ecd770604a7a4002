"""Defragmentation stops a member for seconds: of one at a time, of the leader last and never while it leads."""

from pathlib import Path
from typing import Any

import pytest

from components.node.agent import defragmentation
from components.node.agent.defragmentation import MINIMUM_BYTES, USED_SHARE, Defragmentation, Size, parse
from components.node.lock import ClusterLock
from components.node.record import Keys
from tests.agent.conftest import ME, OTHER, THIRD, idle_member

LARGE = MINIMUM_BYTES * 4


class Member:
    """`EtcdCluster` as far as its member can be defragmented; remembers in which order what was done."""

    me = ME

    def __init__(self) -> None:
        self.etcdctl = self
        self.done: list[str] = []

    def defragment(self, endpoint: str) -> None:
        self.done.append("defragmented")


class World:
    """One member's view of all."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.context = idle_member(folder)
        self.sizes = {peer.address: size(fragmented=False) for peer in (ME, OTHER, THIRD)}
        self.member = Member()
        patch.setattr(defragmentation, "size_at", lambda address: self.sizes[address])
        patch.setattr(defragmentation, "CHECK_SECONDS", -1)
        patch.setattr(defragmentation, "hand_over", self._hand_over)

    def look(self) -> list[str]:
        """The member looks at itself once; what it did."""
        member: Any = self.member
        Defragmentation().tick(self.context, member, self.context.lock)
        return self.member.done

    def _hand_over(self, etcdctl: object, endpoint: str) -> str:
        self.member.done.append("handed over")
        return "member-2 leads now"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


def size(*, fragmented: bool, leader: bool = False) -> Size:
    return Size(LARGE, LARGE * USED_SHARE + (-1 if fragmented else 1), leader)


def test_a_fragmented_follower_is_defragmented(world: World) -> None:
    world.sizes[ME.address] = size(fragmented=True)
    assert world.look() == ["defragmented"]


def test_one_that_is_not_fragmented_is_left_alone(world: World) -> None:
    assert world.look() == []


def test_nobody_is_while_another_member_changes_something(world: World) -> None:
    world.sizes[ME.address] = size(fragmented=True)
    ClusterLock(world.context.cloud, Keys("u1").lock, OTHER.name).acquire("defragmentation", 60)
    assert world.look() == []


def test_the_leader_waits_for_every_follower(world: World) -> None:
    world.sizes[ME.address] = size(fragmented=True, leader=True)
    world.sizes[THIRD.address] = size(fragmented=True)
    assert world.look() == []


def test_the_leader_gives_its_leadership_away_before(world: World) -> None:
    world.sizes[ME.address] = size(fragmented=True, leader=True)
    assert world.look() == ["handed over", "defragmented"]


def test_the_lock_is_free_afterwards(world: World) -> None:
    world.sizes[ME.address] = size(fragmented=True)
    world.look()
    ClusterLock(world.context.cloud, Keys("u1").lock, OTHER.name).acquire("membership", 60)


def test_a_file_is_worth_a_pause_when_it_is_large_and_mostly_free() -> None:
    assert Size(MINIMUM_BYTES + 1, (MINIMUM_BYTES + 1) * USED_SHARE - 1, leader=False).fragmented
    assert not Size(MINIMUM_BYTES, 0, leader=False).fragmented
    assert not Size(LARGE, LARGE * USED_SHARE, leader=False).fragmented


def test_sizes_and_leadership_are_read_from_etcds_own_gauges() -> None:
    lines = """\
# TYPE etcd_mvcc_db_total_size_in_bytes gauge
etcd_mvcc_db_total_size_in_bytes 4.096e+06
etcd_mvcc_db_total_size_in_use_in_bytes 1.2e+06
etcd_server_is_leader 1
etcd_server_is_learner 0
"""
    assert parse(lines.splitlines()) == Size(4_096_000, 1_200_000, leader=True)
    assert parse(()) == Size(0, 0, leader=False)
