"""The step `leader-check`: the balancers leave out a master whose member knows of no leader.

An API server's `/readyz` says so as well, but it waits a second for etcd each time that it is asked, and it takes three
answers. HAProxy takes what it hears here at once (`agent-check` in its manual): `down` ends all that goes to this
master, `up` leaves it to `/readyz`, and where nobody answers nothing changes.
"""

import socket
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum, auto
from http.client import HTTPConnection, HTTPException
from typing import Final

from components.node import passthrough
from components.node.agent.background import Background
from components.node.agent.step import Context, Step
from components.node.etcd import METRICS_PORT
from components.node.health import LEADER_PORT
from components.node.machine import Machine, Role

PATH: Final = "/health?exclude=NOSPACE&exclude=CORRUPT"
"""Answered with no at once where there is no leader; not at all by one that takes itself for it and is not."""
ANSWER_SECONDS: Final = 0.25
ROUND_SECONDS: Final = 0.15

LEADERLESS_SECONDS: Final = 0.75
"""Since it was last well. Asking the others takes 0.25 s more where they do not answer, and an election is over 0.4 to
0.8 s after the last heartbeat: it takes no master out."""

STALE_SECONDS: Final = 1.0
"""A member that no longer answers at all is the passthrough's matter: it leads elsewhere."""


class Answer(Enum):
    """What a member says."""

    LED = auto()
    NO_LEADER = auto()
    NONE = auto()


@dataclass
class Knowledge:
    """What is known of a member's leader; all times in seconds of one clock."""

    led_at: float | None = None
    heard_at: float = 0.0
    last: Answer = Answer.NONE

    def hear(self, answer: Answer, now: float) -> None:
        """Take an answer."""
        if answer is Answer.NONE:
            return
        self.last, self.heard_at = answer, now
        if answer is Answer.LED:
            self.led_at = now

    def leaderless(self, now: float) -> bool:
        """Whether it had a leader, has none now, and an election would be over."""
        return (
            self.last is Answer.NO_LEADER
            and now - self.heard_at < STALE_SECONDS
            and self.led_at is not None
            and now - self.led_at >= LEADERLESS_SECONDS
        )


class LeaderCheck(Step):
    """In the background; about the member on this machine, or else the one that this master asks first."""

    name = "leader-check"

    def __init__(self) -> None:
        self._background: Background | None = None

    def applies(self, machine: Machine) -> bool:
        return machine.role is Role.MASTER and machine.kubernetes.masters > 1

    def run(self, context: Context) -> None:
        if self._background is None:
            machine = context.machine
            member, *others = [Question(peer.address) for peer in passthrough.order(machine)]
            watch = Watch(context, member, others)
            listen(watch, socket.create_server((machine.address, LEADER_PORT)))
            self._background = Background(context, self.name, watch.once, ROUND_SECONDS)
        self._background.start()


class Question:
    """Asks one member, over a connection that is kept."""

    def __init__(self, address: str, port: int = METRICS_PORT) -> None:
        self._connection = HTTPConnection(address, port, timeout=ANSWER_SECONDS)

    def ask(self) -> Answer:
        """What it says now; never raises."""
        try:
            self._connection.request("GET", PATH)
            answer = self._connection.getresponse()
            content = answer.read()
        except (OSError, HTTPException):
            self._connection.close()
            return Answer.NONE
        if answer.status == 200:
            return Answer.LED
        return Answer.NO_LEADER if b"NO LEADER" in content else Answer.NONE


class Watch:
    """Asks a member again and again, and the others only once it has no leader.

    One of them that answers and has none either means an election that takes long: no master is better than another.
    """

    def __init__(self, context: Context, member: Question, others: Sequence[Question]) -> None:
        self._context = context
        self._member = member
        self._others = others
        self._knowledge = Knowledge()
        self._out = False

    def once(self) -> None:
        """One round."""
        self._hear()
        if self._leaderless() and not self._out:
            if self._is_election():
                return
            self._hear()
        if (leaderless := self._leaderless()) != self._out:
            words = "this master's member has no leader: balancers leave it out"
            self._context.log(LeaderCheck.name, words if leaderless else "balancers ask /readyz again")
        self._out = leaderless

    def state(self) -> bytes:
        """What balancers hear, a line as HAProxy's agent check takes it."""
        return b"down\n" if self._out and self._leaderless() else b"up\n"

    def _hear(self) -> None:
        self._knowledge.hear(self._member.ask(), time.monotonic())

    def _leaderless(self) -> bool:
        return self._knowledge.leaderless(time.monotonic())

    def _is_election(self) -> bool:
        with ThreadPoolExecutor(max_workers=max(len(self._others), 1)) as pool:
            return Answer.NO_LEADER in pool.map(lambda other: other.ask(), self._others)


def listen(watch: Watch, server: socket.socket) -> None:
    """Tell whoever connects, in a thread of its own."""
    threading.Thread(target=_tell, args=(watch, server), name="leader-check listener", daemon=True).start()


def _tell(watch: Watch, server: socket.socket) -> None:
    while True:
        connection, _ = server.accept()
        with connection:
            try:
                connection.sendall(watch.state())
            except OSError:
                continue  # It did not wait for the answer, and asks again.
