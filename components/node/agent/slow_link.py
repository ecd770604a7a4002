"""The step `slow-link`: nobody waits for a leader whose link is slow while others' are quick.

etcd keeps such a leader: its heartbeats come late, but all come, and every write waits for a way there and back.
"""

import time
import urllib.request
from http.client import HTTPException
from typing import Final

from components.node import passthrough
from components.node.agent import sock_diag
from components.node.agent.background import Background
from components.node.agent.member import cluster
from components.node.agent.slow_disk import look_at
from components.node.agent.slow_member import Cause, SlowMember
from components.node.agent.status import PORT
from components.node.agent.step import Context, Step
from components.node.etcd import client_url
from components.node.machine import Machine, Peer
from components.node.record import PEER_PORT
from components.node.round_trips import Link, Stream

ROUND_SECONDS: Final = 0.5
"""A look asks the kernel about some twenty connections, and nobody else."""

ANSWER_SECONDS: Final = 1.0

CAUSE: Final = Cause(
    name="slow-link",
    concern="link-speed",
    gauge="etcd_link_slow",
    words="'s link is slow: the way to every other member and back takes longer than a heartbeat's interval",
    spares=False,
)


class SlowLink(Step):
    """In the background: a slow link holds up what else the agent does."""

    name = CAUSE.name

    def __init__(self) -> None:
        self._background: Background | None = None

    def applies(self, machine: Machine) -> bool:
        return machine.carries_member and len(machine.etcd.members) > 1

    def run(self, context: Context) -> None:
        self._background = self._background or Background(context, self.name, Watch(context).once, ROUND_SECONDS)
        self._background.start()


class Watch:
    """Over the member on this machine."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._member = passthrough.order(context.machine)[0]
        self._others = [peer for peer in context.machine.etcd.members if peer != self._member]
        self._slow = SlowMember(context, self._member, CAUSE)
        self._link = Link(context.machine.etcd.heartbeat_ms / 1000)

    def once(self) -> None:
        """One round."""
        now = time.monotonic()
        slow = self._link.look(now, streams())
        self._slow.found(now, slow=slow)
        if slow and self._slow.may_hand_over(now):
            self._hand_over(now)

    def _hand_over(self, now: float) -> None:
        own = look_at(self._member)
        if own is None or not own.leads:
            return
        # Of this machine's own etcd, and what it knows: all that goes over this link takes as long again as the move.
        listed = cluster(self._context).etcdctl.known_members(client_url(self._member.address))
        voters = {member.name: member.id for member in listed if not member.learner}
        for other in self._others:
            if other.name in voters and is_quick(other):
                self._slow.hand_over(now, other.name, voters[other.name])
                return


def streams(port: int = PEER_PORT) -> dict[bytes, Stream]:
    """What this machine's member writes to others over: a stream is asked for by who reads it."""
    return {
        one.identity: Stream(one.peer, one.sent_segments, one.round_trip_seconds) for one in sock_diag.accepted(port)
    }


def is_quick(other: Peer) -> bool:
    """Whether a member's machine says that its own link is not slow."""
    try:
        with urllib.request.urlopen(f"http://{other.address}:{PORT}/metrics", timeout=ANSWER_SECONDS) as answer:
            return f"\nkube_ha_{CAUSE.gauge} 0\n" in answer.read().decode()
    except (OSError, HTTPException):
        return False
