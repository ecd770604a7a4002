"""NOSPACE stops all writes: room is made member by member, the leader's last, and the alarm goes when all have some."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from components.node.agent import repair
from components.node.agent.defragmentation import Size
from components.node.agent.etcdctl import Alarm, AlarmKind
from components.node.agent.repair import FULL_SHARE, Repair
from components.node.lock import ClusterLock, LockedError
from components.node.record import Keys
from tests.agent.conftest import ME, OTHER, THIRD, idle_member

QUOTA = 1000
FULL, ROOM = QUOTA * FULL_SHARE + 1, QUOTA * FULL_SHARE
OWN_ID = 11


class Member:
    """`EtcdCluster` of a member that has the alarm; remembers in which order what was done."""

    def __init__(self, sizes: dict[str, Size], live_bytes: float) -> None:
        self.etcdctl = self
        self.etcd = SimpleNamespace(members=(ME, OTHER, THIRD), quota_bytes=QUOTA)
        self.done: list[str] = []
        self._sizes, self._live = sizes, live_bytes

    def alarms(self, endpoints: object) -> tuple[Alarm, ...]:
        return (Alarm(OWN_ID, AlarmKind.NOSPACE),)

    def status(self, endpoint: str) -> Any:
        return SimpleNamespace(member_id=OWN_ID, revision=70)

    def compact(self, endpoint: str, revision: int) -> None:
        self.done.append(f"compacted to {revision}")

    def defragment(self, endpoint: str) -> None:
        self.done.append("defragmented")
        self._sizes[ME.address] = Size(self._live, self._live, self._sizes[ME.address].leader)

    def disarm(self, endpoints: object) -> None:
        self.done.append("alarm cleared")


class World:
    """A cluster with the alarm; by default only this member's file is full, and it is all history."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.context = idle_member(folder)
        self.sizes = {peer.address: Size(ROOM, 10, leader=False) for peer in (ME, OTHER, THIRD)}
        self.sizes[ME.address] = Size(FULL, 10, leader=False)
        self.live_bytes = 10.0
        self.done: list[str] = []
        patch.setattr(repair, "size_at", lambda address: self.sizes[address])
        patch.setattr(repair, "hand_over", lambda etcdctl, endpoint: etcdctl.done.append("handed over"))

    def answer(self) -> str:
        """The member answers the alarm once; what it says."""
        member: Any = Member(self.sizes, self.live_bytes)
        self.done = member.done
        way: Any = None
        return Repair(way).alarms(self.context, member)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


def test_history_is_forgotten_before_its_space_is_given_back(world: World) -> None:
    assert "has room again" in world.answer()
    assert world.done == ["compacted to 70", "defragmented", "alarm cleared"]


def test_the_leader_waits_until_the_followers_have_room(world: World) -> None:
    world.sizes[ME.address] = Size(FULL, 10, leader=True)
    world.sizes[OTHER.address] = Size(FULL, 10, leader=False)
    assert "followers make room first" in world.answer()
    assert world.done == []


def test_the_leader_gives_its_leadership_away_before_it_stops_serving(world: World) -> None:
    world.sizes[ME.address] = Size(FULL, 10, leader=True)
    world.answer()
    assert world.done == ["compacted to 70", "handed over", "defragmented", "alarm cleared"]


def test_the_alarm_stays_while_another_member_is_full(world: World) -> None:
    world.sizes[OTHER.address] = Size(FULL, 10, leader=True)
    assert "other members make room" in world.answer()
    assert world.done == ["compacted to 70", "defragmented"]


def test_the_alarm_stays_while_what_lives_fills_the_database(world: World) -> None:
    world.live_bytes = FULL
    assert "in use after compaction and defragmentation: delete objects" in world.answer()
    assert world.done == ["compacted to 70", "defragmented"]


def test_who_has_room_clears_the_alarm_without_a_pause(world: World) -> None:
    world.sizes[ME.address] = Size(ROOM, 10, leader=False)
    assert "has room again" in world.answer()
    assert world.done == ["alarm cleared"]


def test_nobody_makes_room_while_another_member_changes_something(world: World) -> None:
    ClusterLock(world.context.cloud, Keys("u1").lock, OTHER.name).acquire("making room in etcd", 60)
    with pytest.raises(LockedError):
        world.answer()
    assert world.done == []
