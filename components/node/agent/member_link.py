"""The link of the member that a master asks first, where it is on another machine: the master's part of `slow-link`.

Every request of the API server waits for it, whoever leads. Masters beside their member go on asking it: every other
one is behind the same link.
"""

import socket
import time
from typing import Final

from components.node import passthrough
from components.node.agent import sock_diag
from components.node.agent.slow_member import Cause, SlowMember
from components.node.agent.step import Context
from components.node.etcd import CLIENT_PORT, METRICS_PORT
from components.node.machine import Peer
from components.node.round_trips import Link, near_seconds

ROUND_SECONDS: Final = 0.5
"""A look takes 2.2 ms of a core: the API server has 70 connections (measured)."""

CAUSE: Final = Cause(
    name="slow-link",
    concern="link-speed",
    gauge="etcd_link_slow",
    words="'s link is slow: the way there and back takes longer than a heartbeat's interval, to another member less",
    spares=True,
)


class Watch:
    """Over the connections that the passthrough has to that member."""

    def __init__(self, context: Context) -> None:
        self._member, *self._others = passthrough.order(context.machine)
        self._near_seconds = near_seconds(context.machine.etcd.heartbeat_ms / 1000)
        self._slow = SlowMember(context, self._member, CAUSE)
        self._link = Link(self._near_seconds, fewest=1)

    def once(self) -> None:
        """One round."""
        now = time.monotonic()
        to_it = [one for one in sock_diag.established(CLIENT_PORT) if one.peer == self._member.address]
        far = self._link.look(now, sock_diag.streams(to_it))
        # Where all are far it is this machine's own link, or the network.
        self._slow.found(now, slow=far and any(is_near(other, self._near_seconds) for other in self._others))


def is_near(other: Peer, seconds: float) -> bool:
    """Whether a member's machine takes a connection within that time: its kernel does, however busy it is."""
    try:
        socket.create_connection((other.address, METRICS_PORT), timeout=seconds).close()
    except OSError:
        return False
    return True
