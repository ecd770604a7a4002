"""The step `peers`: ends connections to other members over which nothing comes any more.

etcd reads what another member tells it from a connection that it has made, and means to give one up that is silent for
5 s; in 3.7 that timeout is never applied (client/pkg/v3/transport: `Dial`, which Go ignores where there is a
`DialContext`). The writing side gives the connection up a few seconds into a cut (`TCP_RETRIES`), and the reading side
would wait for TCP's keepalive, until 30 s after the last message. Until then members send each message as a request of
its own, which a second cut may leave unanswered: a member was without a leader for 6 s after the network was well
again, until that keepalive came (docs/silence.md).
"""

import errno
from collections.abc import Callable, Iterable
from typing import Final

from components.node.agent import sock_diag
from components.node.agent.background import Background
from components.node.agent.step import Context, Step
from components.node.machine import Machine
from components.node.record import PEER_PORT

SILENT_SECONDS: Final = 5.0
"""etcd's own number (rafthttp, `DefaultConnReadTimeout`). Each side writes to the other every third of it."""

QUESTION_BYTES: Final = 16 * 1024
"""A connection that is only read from has sent a TLS handshake and one GET, 2 KiB. A database on its way to a member is
larger than this, and the member may take its time before it answers."""

ROUND_SECONDS: Final = 1.0

UNABLE: Final = (errno.EOPNOTSUPP, errno.ENOENT)
"""What a kernel says that was built without CONFIG_INET_DIAG_DESTROY, or without tcp_diag."""


class Peers(Step):
    """In the background: it is needed when what else the agent asks does not answer."""

    name = "peers"

    def __init__(self) -> None:
        self._background: Background | None = None

    def applies(self, machine: Machine) -> bool:
        return machine.carries_member

    def run(self, context: Context) -> None:
        self._background = self._background or Background(
            context, self.name, lambda: end_silent(context), ROUND_SECONDS
        )
        self._background.start()


def end_silent(context: Context, port: int = PEER_PORT, seconds: float = SILENT_SECONDS) -> None:
    """One round: etcd makes each connection that is ended here anew by itself."""
    ended = _end(context, lambda: [one for one in sock_diag.established(port) if is_silent(one, seconds)])
    if ended:
        context.log("peers", f"{ended} connections to members that said nothing for {seconds:g} s were ended")


def drop_unsent(context: Context, address: str, port: int = PEER_PORT) -> None:
    """End what the member with this `address` writes to others over: what waits there to be sent is dropped.

    Nothing where the kernel cannot: then others hear it all first.
    """
    _end(context, lambda: [one for one in sock_diag.accepted(port) if one.own == address])


def _end(context: Context, find: Callable[[], Iterable[sock_diag.Connection]]) -> int:
    try:
        return sum(sock_diag.destroy(one) for one in find())
    except OSError as error:
        if error.errno not in UNABLE:
            raise
        context.log.changed("peers", "this kernel ends no connections: those to a silent member last for 30 s")
        return 0


def is_silent(found: sock_diag.Connection, seconds: float) -> bool:
    """Whether etcd should have heard something by now."""
    return found.silent_seconds >= seconds and found.sent_bytes <= QUESTION_BYTES
