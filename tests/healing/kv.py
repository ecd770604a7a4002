"""Writes to etcd over one kept connection per member: the four messages that tests need, encoded by hand."""

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
        return self._call(PUT, field(1, key.encode()) + field(2, value), timeout)

    def raise_alarm(self, member_id: int, kind: int) -> bool:
        """Raise an alarm for a member, as the leader's corruption check does."""
        return self._call(ALARM, field(1, ACTIVATE) + field(2, member_id) + field(3, kind), 5)

    def close(self) -> None:
        self._channel.close()

    def _call(self, method: str, request: bytes, timeout: float) -> bool:
        try:
            call: Any = self._channel.unary_unary(method)
            call(request, timeout=timeout)
        except grpc.RpcError:
            return False
        return True
