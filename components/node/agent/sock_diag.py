"""TCP connections of this machine as its kernel has them, and their end by its hand (sock_diag(7), `ss -K`)."""

import errno
import socket
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from components.node.round_trips import Stream

NETLINK_SOCK_DIAG: Final = 4
SOCK_DIAG_BY_FAMILY: Final = 20
SOCK_DESTROY: Final = 21
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP = 0x1, 0x4, 0x300
ESTABLISHED: Final = 1
INET_DIAG_INFO: Final = 2
"""Names and numbers as in the kernel's headers linux/netlink.h, sock_diag.h, inet_diag.h and tcp.h."""

_HEADER: Final = struct.Struct("=IHHII")
_REQUEST: Final = struct.Struct("=BBBxI48s")
_MESSAGE: Final = struct.Struct("=BBBB48s20x")
_ATTRIBUTE: Final = struct.Struct("=HH")
_LAST_DATA_RECEIVED: Final = struct.Struct("=52xI")
_BYTES_ACKED: Final = struct.Struct("=120xQ")
_SMOOTHED_ROUND_TRIP: Final = struct.Struct("=68xI")
_DATA_SEGMENTS_SENT: Final = struct.Struct("=156xI")
_OWN, _PEER = slice(4, 8), slice(20, 24)
_BUFFER: Final = 1 << 18
_SECONDS: Final = 2.0


@dataclass(frozen=True)
class Connection:
    """One that is established."""

    identity: bytes
    """The kernel's own: addresses, ports and a cookie that no other connection ever has."""
    silent_seconds: float
    """How long ago data came last."""
    sent_bytes: int
    """What the other side has acknowledged."""
    sent_segments: int
    """How many of data there were, those that were sent again among them."""
    round_trip_seconds: float
    """From a segment to its acknowledgement, by the kernel of the other side: smoothed over about eight (RFC 6298)."""

    @property
    def own(self) -> str:
        """This side's address."""
        return socket.inet_ntoa(self.identity[_OWN])

    @property
    def peer(self) -> str:
        """The other side's address."""
        return socket.inet_ntoa(self.identity[_PEER])


def established(port: int) -> list[Connection]:
    """This machine's IPv4 connections to a `port` elsewhere.

    Raises:
        OSError: the kernel does not say.
    """
    return _between(0, port)


def accepted(port: int) -> list[Connection]:
    """The IPv4 connections that others have made to a `port` of this machine.

    Raises:
        OSError: the kernel does not say.
    """
    return _between(port, 0)


def streams(connections: Iterable[Connection]) -> dict[bytes, Stream]:
    """What is written over them."""
    return {one.identity: Stream(one.peer, one.sent_segments, one.round_trip_seconds) for one in connections}


def destroy(found: Connection) -> bool:
    """End a connection as if its other side had reset it; False where it is gone already.

    Raises:
        OSError: `EOPNOTSUPP` where the kernel was built without CONFIG_INET_DIAG_DESTROY.
    """
    try:
        list(_ask(SOCK_DESTROY, NLM_F_ACK, found.identity))
    except OSError as error:
        if error.errno == errno.ENOENT:
            return False
        raise
    return True


def connection(body: bytes) -> Connection:
    """A connection from the kernel's message about it, `struct inet_diag_msg` with `struct tcp_info` after it.

    Raises:
        ValueError: it says nothing of the connection's traffic.
    """
    identity = _MESSAGE.unpack_from(body)[4]
    at = _MESSAGE.size
    while at + _ATTRIBUTE.size <= len(body):
        length, kind = _ATTRIBUTE.unpack_from(body, at)
        if kind == INET_DIAG_INFO:
            info = body[at + _ATTRIBUTE.size : at + length]
            (milliseconds,) = _LAST_DATA_RECEIVED.unpack_from(info)
            (acked,) = _BYTES_ACKED.unpack_from(info)
            (segments,) = _DATA_SEGMENTS_SENT.unpack_from(info)
            (microseconds,) = _SMOOTHED_ROUND_TRIP.unpack_from(info)
            return Connection(identity, milliseconds / 1000, acked, segments, microseconds / 1_000_000)
        # Attributes begin at multiples of four bytes.
        at += max(length + 3 & ~3, _ATTRIBUTE.size)
    raise ValueError("the kernel's message on a connection is without INET_DIAG_INFO")


def _between(own: int, other: int) -> list[Connection]:
    # The kernel takes the two ports for a filter; 0 is any.
    identity = struct.pack("!HH", own, other).ljust(48, b"\0")
    return [connection(body) for body in _ask(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, identity)]


def _ask(kind: int, flags: int, identity: bytes) -> Iterator[bytes]:
    """Bodies of the kernel's answers to one question about connections."""
    request = _REQUEST.pack(socket.AF_INET, socket.IPPROTO_TCP, 1 << (INET_DIAG_INFO - 1), 1 << ESTABLISHED, identity)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, NETLINK_SOCK_DIAG) as kernel:
        kernel.settimeout(_SECONDS)
        kernel.send(_HEADER.pack(_HEADER.size + len(request), kind, NLM_F_REQUEST | flags, 0, 0) + request)
        while True:
            for answer, body in _messages(kernel.recv(_BUFFER)):
                if answer == NLMSG_ERROR:
                    if number := -struct.unpack_from("=i", body)[0]:
                        raise OSError(number, errno.errorcode.get(number, str(number)))
                    return
                if answer == NLMSG_DONE:
                    return
                yield body


def _messages(datagram: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + _HEADER.size <= len(datagram):
        length, kind, *_ = _HEADER.unpack_from(datagram, at)
        yield kind, datagram[at + _HEADER.size : at + length]
        at += length + 3 & ~3
