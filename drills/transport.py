"""HTTP/1.1 over TLS with asyncio, with no more than a probe needs, and pools of kept connections.

HTTP/2, which client-go prefers, is left out: a client of HTTP/2 has one connection where these have a few, so one
connection that a fault leaves silent costs it more than it costs these.
"""

import asyncio
import json
import ssl
from dataclasses import dataclass, field
from typing import Any


class ConnectError(Exception):
    """No connection was made, so the request was never sent."""


@dataclass(frozen=True)
class Answer:
    """Status and body of a response."""

    status: int
    body: bytes
    keep: bool
    """Whether the server lets the connection be used again."""

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


def request(method: str, path: str, host: str, headers: dict[str, str], body: Any = None) -> bytes:
    """A request as bytes; `body` is sent as JSON, a PATCH as a JSON merge patch."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *(f"{name}: {value}" for name, value in headers.items())]
    content = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
    if content:
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        lines += [f"Content-Type: {kind}", f"Content-Length: {len(content)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


@dataclass
class Wire:
    """One established connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @property
    def dead(self) -> bool:
        """Whether the peer is known to have closed it."""
        return self.reader.at_eof() or self.writer.is_closing()

    def abort(self) -> None:
        """Close at once, with a reset: nothing is waited for."""
        self.writer.transport.abort()

    async def exchange(self, message: bytes) -> Answer:
        """Send a request and read its answer.

        Raises:
            OSError, asyncio.IncompleteReadError: the connection broke; the request may have been carried out.
        """
        self.writer.write(message)
        head = await self.reader.readuntil(b"\r\n\r\n")
        status_line, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body = await self._chunks()
        else:
            body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        return Answer(int(status_line.split(" ")[1]), body, headers.get("connection", "").lower() != "close")

    async def _chunks(self) -> bytes:
        chunks = []
        while size := int(await self.reader.readline(), 16):
            chunks.append(await self.reader.readexactly(size))
            await self.reader.readexactly(2)
        await self.reader.readexactly(2)
        return b"".join(chunks)


@dataclass
class Pool:
    """Connections to one address: kept ones are handed out last in, first out, as Go's net/http does."""

    host: str
    port: int
    tls: ssl.SSLContext
    idle: list[Wire] = field(default_factory=list)

    async def connect(self) -> Wire:
        """A new connection.

        Raises:
            ConnectError: TCP or TLS was not established.
        """
        try:
            reader, writer = await asyncio.open_connection(self.host, self.port, ssl=self.tls)
        except (OSError, ssl.SSLError, EOFError) as error:
            raise ConnectError(f"{type(error).__name__}: {error}") from error
        return Wire(reader, writer)

    async def take(self) -> Wire:
        """An idle connection that is not known to be dead, else a new one.

        Raises:
            ConnectError: TCP or TLS was not established.
        """
        while self.idle:
            wire = self.idle.pop()
            if not wire.dead:
                return wire
            wire.abort()
        return await self.connect()

    def give_back(self, wire: Wire) -> None:
        """Keep a connection whose exchange ended well."""
        self.idle.append(wire)
