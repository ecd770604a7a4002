"""Writes to etcd over one kept connection per member: the four messages that tests need, encoded by hand."""

from dataclasses import dataclass
from typing import Any

import grpc

from components.node.agent.step import Context
from components.node.etcd import CLIENT_PORT, Files

PUT = "/etcdserverpb.KV/Put"
ALARM = "/etcdserverpb.Maintenance/Alarm"
ACTIVATE = 1


def field(number: int, value: bytes | int) -> bytes:
    """A protobuf field: bytes, or a varint."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(value: int) -> bytes:
    """A protobuf varint."""
    encoded = b""
    while value > 0x7F:
        encoded += bytes([value & 0x7F | 0x80])
        value >>= 7
    return encoded + bytes([value])


def fields(message: bytes) -> dict[int, int | bytes]:
    """A protobuf message's fields that are varints or bytes, the last of each number."""
    found: dict[int, int | bytes] = {}
    rest = message
    while rest:
        tag, rest = unvaried(rest)
        value, rest = unvaried(rest)
        if tag & 7 == 2:
            found[tag >> 3], rest = rest[:value], rest[value:]
        else:
            found[tag >> 3] = value
    return found


def unvaried(encoded: bytes) -> tuple[int, bytes]:
    """The varint that `encoded` begins with, and what follows it."""
    length = next(index for index, byte in enumerate(encoded, start=1) if byte < 0x80)
    return sum((byte & 0x7F) << 7 * index for index, byte in enumerate(encoded[:length])), encoded[length:]


@dataclass(frozen=True)
class Acknowledged:
    """What etcd says of a write."""

    cluster_id: int
    revision: int


class Kv:
    """One member, by the client certificate of `context`'s machine."""

    def __init__(self, context: Context, address: str) -> None:
        files = Files(context.paths.etcd_configuration)
        credentials = grpc.ssl_channel_credentials(
            files.authority("client").read_bytes(), files.key("client").read_bytes(),
            files.certificate("client").read_bytes(),
        )  # fmt: skip
        options = [("grpc.max_reconnect_backoff_ms", 500), ("grpc.initial_reconnect_backoff_ms", 100)]
        self._channel = grpc.secure_channel(f"{address}:{CLIENT_PORT}", credentials, options)

    def put(self, key: str, value: bytes, timeout: float = 1.0) -> bool:
        """Whether the write was acknowledged in time."""
        return self.acknowledged(key, value, timeout) is not None

    def acknowledged(self, key: str, value: bytes, timeout: float = 1.0) -> Acknowledged | None:
        """Where the write is, if it was acknowledged in time."""
        answer = self._call(PUT, field(1, key.encode()) + field(2, value), timeout)
        if answer is None:
            return None
        header = fields(answer)[1]
        assert isinstance(header, bytes)
        said = fields(header)
        return Acknowledged(int(said[1]), int(said[3]))

    def fill(self, prefix: str, count: int, value: bytes, at_once: int = 200) -> None:
        """Write so many keys, fast."""
        call: Any = self._channel.unary_unary(PUT)
        for begin in range(0, count, at_once):
            numbers = range(begin, min(begin + at_once, count))
            calls = [call.future(field(1, f"{prefix}{n}".encode()) + field(2, value), timeout=60) for n in numbers]
            for one in calls:
                one.result()

    def raise_alarm(self, member_id: int, kind: int) -> bool:
        """Raise an alarm for a member, as the leader's corruption check does."""
        return self._call(ALARM, field(1, ACTIVATE) + field(2, member_id) + field(3, kind), 5) is not None

    def close(self) -> None:
        self._channel.close()

    def _call(self, method: str, request: bytes, timeout: float) -> bytes | None:
        try:
            call: Any = self._channel.unary_unary(method)
            return bytes(call(request, timeout=timeout))
        except grpc.RpcError:
            return None
