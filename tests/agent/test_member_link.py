"""A master asks another member while its own one's link is slow, and what only looks like one changes nothing."""

import socket
from pathlib import Path

import pytest

from components.node import passthrough
from components.node.agent import member_link, slow_member, sock_diag
from components.node.agent.member_link import Watch, is_near
from components.node.etcd import CLIENT_PORT
from components.node.machine import Peer, Role
from components.node.round_trips import CONFIRM_SECONDS, Stream
from components.node.slowness import WELL_SECONDS
from tests.agent.conftest import ME, OTHER, THIRD, document, idle_member

NEAR, FAR = 0.002, 0.25


class World:
    """A master that asks the first of three members, all as far from it as a test says."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.context = idle_member(folder)
        self.context.machine = document("master-1", (ME, OTHER, THIRD), role=Role.MASTER)
        self.asked = passthrough.order(self.context.machine)[0]
        self.away = {member.name: NEAR for member in (ME, OTHER, THIRD)}
        self.now = 1000.0
        self.spared: list[bool] = []
        self._sent = 0
        patch.setattr(sock_diag, "established", self._established)
        patch.setattr(member_link, "is_near", lambda other, seconds: self.away[other.name] <= seconds)
        patch.setattr(member_link, "time", self)
        patch.setattr(slow_member, "spare", self._spare)
        self.watch = Watch(self.context)

    def seconds(self, seconds: float) -> None:
        for _ in range(round(seconds / member_link.ROUND_SECONDS)):
            self.now += member_link.ROUND_SECONDS
            self.watch.once()

    def monotonic(self) -> float:
        return self.now

    def _spare(self, member: str, *, spared: bool) -> None:
        assert member == self.asked.name
        self.spared.append(spared)

    def _established(self, port: int) -> list[sock_diag.Connection]:
        """The API server's to the passthrough, and the passthrough's to whom it asks; a spared member has none."""
        assert port == CLIENT_PORT
        self._sent += 1
        spared = bool(self.spared) and self.spared[-1]
        member = OTHER if spared else self.asked
        ends = {"127.0.0.1": 0.0, member.address: self.away[member.name]}
        return [
            sock_diag.Connection(bytes(20) + socket.inet_aton(address) + bytes(24), 0, 0, self._sent, seconds)
            for address, seconds in ends.items()
        ]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


def test_a_member_that_is_far_is_spared_until_its_link_was_well_for_a_while(world: World) -> None:
    world.seconds(5)
    assert world.spared == [False]
    world.away[world.asked.name] = FAR
    world.seconds(CONFIRM_SECONDS + member_link.ROUND_SECONDS)
    assert world.spared[-1] is True
    assert f"{world.asked.name}'s link is slow" in world.context.concerns[member_link.CAUSE.concern]
    world.seconds(WELL_SECONDS + 1)
    assert world.spared[-1] is False
    assert not world.context.concerns


def test_a_member_that_is_far_for_less_than_a_second_is_asked_on(world: World) -> None:
    for _ in range(5):
        world.away[world.asked.name] = FAR
        world.seconds(CONFIRM_SECONDS)
        world.away[world.asked.name] = NEAR
        world.seconds(CONFIRM_SECONDS)
    assert True not in world.spared


def test_a_master_to_which_all_members_are_far_goes_on_asking_its_own(world: World) -> None:
    """It is its own link that is slow."""
    world.away = dict.fromkeys(world.away, FAR)
    world.seconds(10)
    assert True not in world.spared


def test_another_member_that_is_near_is_enough(world: World) -> None:
    world.away = dict.fromkeys(world.away, FAR) | {THIRD.name: NEAR}
    world.seconds(2)
    assert world.spared[-1] is True


def test_a_machine_is_near_whose_kernel_takes_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    here = Peer(name="here", zone="z", address="127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setattr(member_link, "METRICS_PORT", listener.getsockname()[1])
        assert is_near(here, 1)
    assert not is_near(here, 1)


def test_a_connections_identity_is_read_as_the_kernel_writes_it() -> None:
    """What the world above makes by hand is one of the kernel's."""
    with (
        socket.create_server(("127.0.0.9", 0)) as listener,
        socket.create_connection(listener.getsockname()) as one,
        listener.accept()[0],
    ):
        (found,) = sock_diag.established(listener.getsockname()[1])
        assert found.peer == "127.0.0.9"
        assert len(found.identity) == 48
        assert one.getsockname()
    assert sock_diag.streams([found]) == {found.identity: Stream("127.0.0.9", 0, found.round_trip_seconds)}
