"""HTTP/1.1 over TLS with asyncio, with no more than a probe needs, and pools of kept connections."""

import asyncio
import json
import ssl
from dataclasses import dataclass, field
from typing import Any, Protocol


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


@dataclass(frozen=True)
class Message:
    """A request, before it is written as one version of HTTP or the other."""

    method: str
    path: str
    host: str
    headers: dict[str, str]
    content: bytes

    def encode(self) -> bytes:
        """As HTTP/1.1 has it."""
        lines = [f"{self.method} {self.path} HTTP/1.1", f"Host: {self.host}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + self.content


def request(method: str, path: str, host: str, headers: dict[str, str], body: Any = None) -> Message:
    """A request; `body` is sent as JSON, a PATCH as a JSON merge patch."""
    if body is None:
        return Message(method, path, host, headers, b"")
    content = json.dumps(body, separators=(",", ":")).encode()
    kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
    return Message(method, path, host, headers | {"Content-Type": kind, "Content-Length": str(len(content))}, content)


class Conversation(Protocol):
    """What one request goes over: a connection, or a stream of one."""

    async def exchange(self, message: Message) -> Answer:
        """Send a request and read its answer.

        Raises:
            OSError, EOFError, ValueError: it broke; the request may have been carried out.
        """

    def abort(self) -> None:
        """End it at once: nothing is waited for."""


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

    async def exchange(self, message: Message) -> Answer:
        """See `Conversation`."""
        self.writer.write(message.encode())
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

    async def take(self) -> Conversation:
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

    def give_back(self, conversation: Conversation) -> None:
        """Keep a connection whose exchange ended well."""
        if isinstance(conversation, Wire):
            self.idle.append(conversation)
