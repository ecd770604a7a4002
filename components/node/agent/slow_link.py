"""The step `slow-link`: nobody waits for a leader whose link is slow while others' are quick.

etcd keeps such a leader: its heartbeats come late, but all come, and every write waits for a way there and back. A
master that asks a member on another machine finds out by itself that this one is far (`member_link`).
"""

import math
import time
import urllib.request
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.client import HTTPException
from typing import Final

from components.node import passthrough
from components.node.agent import member_link, sock_diag
from components.node.agent.background import Background
from components.node.agent.member import cluster
from components.node.agent.slow_disk import look_at
from components.node.agent.slow_member import SlowMember
from components.node.agent.status import PORT
from components.node.agent.step import Context, Step
from components.node.etcd import client_url
from components.node.machine import Machine, Peer, Role
from components.node.record import PEER_PORT
from components.node.round_trips import Link, near_seconds

ROUND_SECONDS: Final = 0.25
OTHERS_ROUNDS: Final = 4
"""A look asks the kernel about its connections, and nobody else, which takes 1.2 ms of a core (measured): only a leader
looks in every round."""

ANSWER_SECONDS: Final = 1.0

FRESH_SECONDS: Final = 2.0
"""How long it is taken to be so what others have said of their links."""

MOVABLE_SHARE: Final = 0.25
"""Of an election timeout, in which a move of leadership has to come to an end: the last entries have to be there and
acknowledged, and then the word to begin. Where five members share 1 Mbit/s a way and back takes 0.1 s after one second
and 0.2 s after three, and one of nine moves came to something (measured, with a timeout of 0.4 s)."""

CAUSE: Final = replace(
    member_link.CAUSE,
    words="'s link is slow: the way to every other member and back takes longer than a heartbeat's interval",
    spares=False,
)


class SlowLink(Step):
    """In the background: a slow link holds up what else the agent does."""

    name = CAUSE.name

    def __init__(self) -> None:
        self._background: Background | None = None

    def applies(self, machine: Machine) -> bool:
        return machine.role is not Role.BALANCER and len(machine.etcd.members) > 1

    def run(self, context: Context) -> None:
        self._background = self._background or watching(context)
        self._background.start()


def watching(context: Context) -> Background:
    """What this machine can know of."""
    if context.machine.carries_member:
        return Background(context, CAUSE.name, Watch(context).once, ROUND_SECONDS)
    return Background(context, CAUSE.name, member_link.Watch(context).once, member_link.ROUND_SECONDS)


class Watch:
    """Over the member on this machine."""

    def __init__(self, context: Context) -> None:
        etcd = context.machine.etcd
        self._context = context
        self._member = passthrough.order(context.machine)[0]
        self._others = [peer for peer in etcd.members if peer != self._member]
        self._slow = SlowMember(context, self._member, CAUSE)
        self._link = Link(near_seconds(etcd.heartbeat_ms / 1000))
        self._movable_seconds = MOVABLE_SHARE * etcd.election_ms / 1000
        self._quick: Mapping[str, int] = {}
        self._asked_at = -math.inf
        self._rounds = 0

    def once(self) -> None:
        """One round."""
        rounds, self._rounds = self._rounds, self._rounds + 1
        if rounds % OTHERS_ROUNDS and not self._link.known:
            return
        now = time.monotonic()
        # A stream is asked for by who reads it.
        slow = self._link.look(now, sock_diag.streams(sock_diag.accepted(PEER_PORT)))
        self._slow.found(now, slow=slow)
        if self._link.since is None or not self._slow.may_hand_over(now):
            return
        # Over this link their answers take as long as a move does: they are asked while it is being made sure of.
        if now - self._asked_at >= FRESH_SECONDS:
            self._quick, self._asked_at = self._quick_voters(), now
        if slow and self._quick and (own := look_at(self._member)) is not None and own.leads:
            self._slow.hand_over(now, self._quick, movable=self._link.way_seconds < self._movable_seconds)

    def _quick_voters(self) -> Mapping[str, int]:
        # What this machine's own etcd knows, for the same reason.
        listed = cluster(self._context).etcdctl.known_members(client_url(self._member.address))
        voters = {member.name: member.id for member in listed if not member.learner}
        others = [other for other in self._others if other.name in voters]
        with ThreadPoolExecutor(max_workers=max(len(others), 1)) as pool:
            quick = list(pool.map(is_quick, others))
        return {other.name: voters[other.name] for other, is_so in zip(others, quick, strict=True) if is_so}


def is_quick(other: Peer) -> bool:
    """Whether a member's machine says that its own link is not slow."""
    try:
        with urllib.request.urlopen(f"http://{other.address}:{PORT}/metrics", timeout=ANSWER_SECONDS) as answer:
            return f"\nkube_ha_{CAUSE.gauge} 0\n" in answer.read().decode()
    except (OSError, HTTPException):
        return False
