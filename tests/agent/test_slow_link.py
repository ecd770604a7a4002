"""A leader whose link is slow gives leadership away, and what only looks like one changes nothing."""

import re
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.node.agent import slow_link, slow_member, sock_diag
from components.node.agent.etcdctl import EtcdctlError, ListedMember
from components.node.agent.slow_link import SlowLink, Watch
from components.node.agent.status import Reporter, serve
from components.node.machine import Peer, Role
from components.node.round_trips import CONFIRM_SECONDS, Link, Stream, near_seconds, trips
from components.node.slowness import HAND_OVER_SECONDS, WELL_SECONDS
from components.node.sync_times import Look, Syncs
from tests.agent.conftest import ME, OTHER, THIRD, document, idle_member

IDS = {ME.name: 0xA, OTHER.name: 0xB, THIRD.name: 0xC}
NEAR, FAR, HOPELESS = 0.002, 0.08, 0.25
"""Too far for a move of leadership, which has to be over within 0.4 s."""
SOME = 10


class World:
    """Three members, as far from each other as a test says, as the agent of the first of them sees it."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, role: Role = Role.MEMBER) -> None:
        self.context = idle_member(folder)
        self.context.machine = document(ME.name, (ME, OTHER, THIRD), role=role)
        self.away = {OTHER.name: NEAR, THIRD.name: NEAR}
        self.quick = {OTHER.name, THIRD.name}
        self.votes = dict.fromkeys(IDS, True)
        self.leader = self.writes_to_all = ME.name
        self.now = 1000.0
        self.moved: list[int] = []
        self.paused = 0
        self.asked = self.looks = 0
        self._sent = 0
        self.etcdctl = self
        patch.setattr(sock_diag, "accepted", lambda port: ())
        patch.setattr(sock_diag, "streams", lambda connections: self._streams())
        patch.setattr(self.context.services, "pause", self._pause)
        patch.setattr(slow_link, "look_at", self._look_at)
        patch.setattr(slow_link, "is_quick", lambda other: other.name in self.quick)
        patch.setattr(slow_link, "time", self)
        patch.setattr(slow_link, "cluster", lambda context: self)
        patch.setattr(slow_member, "cluster", lambda context: self)
        self.watch = Watch(self.context)

    def seconds(self, seconds: float) -> None:
        for _ in range(round(seconds / slow_link.ROUND_SECONDS)):
            self.now += slow_link.ROUND_SECONDS
            self.watch.once()

    def move_leader(self, endpoint: str, to: int, timeout: float) -> None:
        self.moved.append(to)
        self.leader = self.writes_to_all = next(name for name, number in IDS.items() if number == to)

    def _pause(self, unit: str, seconds: float) -> None:
        self.paused += 1
        self.leader = self.writes_to_all = OTHER.name

    def known_members(self, endpoint: str) -> tuple[ListedMember, ...]:
        self.asked += 1
        return tuple(ListedMember(number, name, (), not self.votes[name]) for name, number in IDS.items())

    def monotonic(self) -> float:
        return self.now

    def _streams(self) -> Mapping[bytes, Stream]:
        # A leader writes to all, another member to the leader alone.
        self._sent += SOME
        self.looks += 1
        written = self.away if self.writes_to_all == ME.name else {self.leader: self.away[self.leader]}
        return {name.encode(): Stream(name, self._sent, seconds) for name, seconds in written.items()}

    def _look_at(self, member: Peer) -> Look:
        return Look(IDS[member.name], member.name == self.leader, votes=True, syncs=Syncs(1, 1, 1))


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


def test_a_leader_that_is_far_from_every_other_member_gives_leadership_away(world: World) -> None:
    world.seconds(5)
    world.away = dict.fromkeys(world.away, FAR)
    world.seconds(CONFIRM_SECONDS + slow_link.ROUND_SECONDS)
    assert world.moved == [IDS[OTHER.name]]


def test_a_leader_that_is_far_from_every_other_member_for_less_than_a_second_keeps_it(world: World) -> None:
    for _ in range(5):
        world.away = dict.fromkeys(world.away, FAR)
        world.seconds(CONFIRM_SECONDS)
        world.away = dict.fromkeys(world.away, NEAR)
        world.seconds(CONFIRM_SECONDS)
    assert not world.moved
    assert not world.context.concerns


def test_a_member_that_is_far_away_alone_changes_nothing(world: World) -> None:
    world.away[THIRD.name] = FAR
    world.seconds(10)
    assert not world.moved
    assert not world.context.concerns


def test_a_member_that_does_not_lead_knows_nothing_of_its_link(world: World) -> None:
    world.leader = world.writes_to_all = OTHER.name
    world.away = dict.fromkeys(world.away, FAR)
    world.seconds(10)
    assert not world.context.concerns


def test_a_member_that_has_just_lost_leadership_gives_none_away(world: World) -> None:
    world.leader = OTHER.name
    world.away = dict.fromkeys(world.away, FAR)
    world.seconds(10)
    assert not world.moved


def test_a_master_goes_on_asking_its_own_member_since_the_way_to_others_is_what_is_slow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, monkeypatch, Role.MASTER)
    spared: list[str] = []
    monkeypatch.setattr(slow_member, "spare", lambda member, **_: spared.append(member))
    world.away = dict.fromkeys(world.away, FAR)
    world.seconds(10)
    assert (world.moved, spared) == ([IDS[OTHER.name]], [])


def test_a_leader_too_far_away_for_a_move_is_paused_at_once_so_that_others_elect_one(world: World) -> None:
    world.seconds(5)
    world.away = dict.fromkeys(world.away, HOPELESS)
    world.seconds(CONFIRM_SECONDS + slow_link.ROUND_SECONDS)
    assert (world.moved, world.paused) == ([], 1)
    world.seconds(5)
    assert world.paused == 1


@pytest.mark.parametrize("away", [FAR, HOPELESS])
def test_a_leader_that_others_cannot_replace_without_it_is_not_paused(
    world: World, monkeypatch: pytest.MonkeyPatch, away: float
) -> None:
    """The third is dead: two are a quorum, one is none."""
    tried: list[int] = []

    def refuse(endpoint: str, to: int, timeout: float) -> None:
        tried.append(to)
        raise EtcdctlError("leader transfer took too long")

    monkeypatch.setattr(world, "move_leader", refuse)
    world.quick = {OTHER.name}
    world.away = dict.fromkeys(world.away, away)
    world.seconds(10)
    assert (tried, world.paused) == ([IDS[OTHER.name]], 0)


def test_others_are_not_asked_again_and_again_where_all_links_are_slow(world: World) -> None:
    world.quick = set()
    world.away = dict.fromkeys(world.away, FAR)
    world.seconds(10)
    assert world.asked <= 10 / slow_link.FRESH_SECONDS + 1


@pytest.mark.parametrize("better", [set(), {THIRD.name}])
def test_leadership_goes_to_nobody_whose_own_link_is_slow(world: World, better: set[str]) -> None:
    world.quick = better
    world.away = dict.fromkeys(world.away, FAR)
    world.seconds(10)
    assert world.moved == [IDS[name] for name in better]


def test_a_learner_is_not_given_leadership(world: World) -> None:
    world.votes[OTHER.name] = False
    world.away = dict.fromkeys(world.away, FAR)
    world.seconds(10)
    assert world.moved == [IDS[THIRD.name]]


def test_leadership_that_came_back_is_moved_again_after_half_a_minute_and_not_before(world: World) -> None:
    world.away = dict.fromkeys(world.away, FAR)
    world.seconds(3)
    assert len(world.moved) == 1
    world.leader = world.writes_to_all = ME.name
    world.seconds(HAND_OVER_SECONDS - 2)
    assert len(world.moved) == 1
    world.seconds(3)
    assert len(world.moved) == 2


def test_a_member_that_does_not_lead_looks_once_a_second(world: World) -> None:
    world.seconds(5)
    looks = world.looks
    world.seconds(10)
    assert world.looks - looks == 10 / slow_link.ROUND_SECONDS
    world.leader = world.writes_to_all = OTHER.name
    world.seconds(1)
    looks = world.looks
    world.seconds(10)
    assert world.looks - looks == 10
    world.leader = world.writes_to_all = ME.name
    world.seconds(2)
    looks = world.looks
    world.seconds(10)
    assert world.looks - looks == 10 / slow_link.ROUND_SECONDS


def test_on_call_sees_a_slow_link_until_it_was_well_for_a_while(world: World) -> None:
    world.seconds(1)
    assert "kube_ha_etcd_link_slow 0" in world.context.metrics.render()
    world.away, world.quick = dict.fromkeys(world.away, FAR), set()
    world.seconds(5)
    assert "member-1's link is slow" in world.context.concerns[slow_link.CAUSE.concern]
    assert "kube_ha_etcd_link_slow 1" in world.context.metrics.render()
    world.away = dict.fromkeys(world.away, NEAR)
    world.seconds(WELL_SECONDS - 1)
    assert world.context.concerns
    world.seconds(1)
    assert not world.context.concerns


def test_a_machine_says_of_itself_what_others_ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = idle_member(tmp_path)
    here = Peer(name="here", zone="z", address="127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setattr(slow_link, "PORT", listener.getsockname()[1])
    assert not slow_link.is_quick(here)
    server = serve(context, Reporter(context), 0)
    monkeypatch.setattr(slow_link, "PORT", server.server_address[1])
    assert not slow_link.is_quick(here)
    context.metrics.set(slow_link.CAUSE.gauge, value=False)
    assert slow_link.is_quick(here)
    context.metrics.set(slow_link.CAUSE.gauge, value=True)
    assert not slow_link.is_quick(here)


def test_only_machines_that_ask_one_member_of_several_watch() -> None:
    assert SlowLink().applies(document(ME.name, (ME, OTHER, THIRD)))
    assert SlowLink().applies(document("master-1", (ME, OTHER, THIRD), role=Role.MASTER))
    assert not SlowLink().applies(document(ME.name, (ME,)))


far_or_near = st.floats(min_value=0, max_value=2)
segments = st.integers(min_value=0, max_value=100)


@given(first=segments, more=segments, seconds=far_or_near)
def test_a_way_is_known_by_what_was_sent_between_two_looks(first: int, more: int, seconds: float) -> None:
    known = trips({b"1": Stream("a", first, 0)}, {b"1": Stream("a", first + more, seconds)})
    assert known == ({"a": seconds} if more else {})


@given(counts=st.dictionaries(st.binary(min_size=1, max_size=2), st.tuples(segments, far_or_near), max_size=6))
def test_a_way_is_as_long_as_on_the_connection_that_was_used_most(counts: dict[bytes, tuple[int, float]]) -> None:
    known = trips({}, {identity: Stream("a", sent, seconds) for identity, (sent, seconds) in counts.items()})
    most = max((sent for sent, _ in counts.values()), default=0)
    assert set(known) == ({"a"} if most else set())
    assert not known or known["a"] in [seconds for sent, seconds in counts.values() if sent == most]


@given(
    heartbeat=st.floats(min_value=0.01, max_value=0.5),
    looks=st.lists(st.tuples(far_or_near, far_or_near, st.booleans()), max_size=30),
)
def test_a_link_is_slow_when_every_way_was_long_at_every_look_of_a_second(
    heartbeat: float, looks: list[tuple[float, float, bool]]
) -> None:
    link, sent = Link(near_seconds(heartbeat)), 0
    link.look(0, {})
    slow_in_a_row = 0
    for number, (one, other, writes) in enumerate(looks, start=1):
        sent += SOME if writes else 0
        slow_in_a_row = slow_in_a_row + 1 if writes and min(one, other) > near_seconds(heartbeat) else 0
        slow = link.look(number / 2, {b"1": Stream("a", sent, one), b"2": Stream("b", sent, other)})
        assert slow == (slow_in_a_row > CONFIRM_SECONDS * 2)


@pytest.fixture
def open_connections() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_the_kernel_says_how_far_the_other_side_of_a_connection_is(open_connections: ExitStack) -> None:
    listener = open_connections.enter_context(socket.create_server(("127.0.0.1", 0)))
    port = listener.getsockname()[1]
    reader = open_connections.enter_context(
        socket.create_connection(("127.0.0.1", port), source_address=("127.0.0.9", 0))
    )
    writer = open_connections.enter_context(listener.accept()[0])
    (before,) = sock_diag.streams(sock_diag.accepted(port)).values()
    for _ in range(SOME):
        writer.sendall(b"heartbeat")
        reader.recv(100)
    (after,) = sock_diag.streams(sock_diag.accepted(port)).values()
    assert after.peer == "127.0.0.9"
    assert after.segments == before.segments + SOME
    said = subprocess.run(["ss", "-tinH", f"sport = :{port}"], capture_output=True, text=True, check=True).stdout
    (milliseconds,) = re.findall(r"\brtt:([\d.]+)/", said)
    assert after.round_trip_seconds == pytest.approx(float(milliseconds) / 1000)
