"""HTTP/2 as client-go's transport uses it: one connection for all requests, with its defaults for a silent one.

Where the server does not offer HTTP/2 it is HTTP/1.1, as for client-go.
"""

import asyncio
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import DataReceived, ResponseReceived, StreamEnded, StreamReset
from h2.exceptions import ProtocolError

from drills.transport import Answer, Conversation, Message, Pool, Wire

READ_IDLE_SECONDS: Final = 30.0
PING_SECONDS: Final = 15.0
"""A connection that is silent for the first is asked, and given up after the second (apimachinery's pkg/util/net)."""
CHUNK: Final = 64 * 1024
FRAME_HEADER: Final = 9
GOAWAY: Final = 7
"""Frame type (RFC 9113)."""


class GoneError(OSError):
    """The connection ended, or the server ended the stream, before the answer was there."""


@dataclass
class _Open:
    """A request without an answer yet."""

    answer: asyncio.Future[Answer]
    status: int = 0
    body: bytearray = field(default_factory=bytearray)


class Session:
    """One HTTP/2 connection."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._state = H2Connection(H2Configuration(client_side=True))
        self._open: dict[int, _Open] = {}
        self._received = bytearray()
        self._leaving = False
        self._state.initiate_connection()
        self._flush()
        self._listener = asyncio.create_task(self._listen())

    @property
    def usable(self) -> bool:
        """Whether it takes another request."""
        full = self._state.open_outbound_streams >= self._state.remote_settings.max_concurrent_streams
        return not (self._leaving or full or self._listener.done() or self._wire.dead)

    def begin(self, message: Message) -> int:
        """Send a request; the number of its stream."""
        number = self._state.get_next_available_stream_id()
        headers = [(":method", message.method), (":path", message.path), (":scheme", "https")]
        headers += [(":authority", message.host), *((name.lower(), text) for name, text in message.headers.items())]
        self._open[number] = _Open(asyncio.get_running_loop().create_future())
        self._state.send_headers(number, headers, end_stream=not message.content)
        if message.content:
            self._state.send_data(number, message.content, end_stream=True)
        self._flush()
        return number

    async def answer(self, number: int) -> Answer:
        """The answer of a stream.

        Raises:
            GoneError: there will be none.
        """
        try:
            return await self._open[number].answer
        finally:
            self._open.pop(number, None)

    def cancel(self, number: int) -> None:
        """Give a stream up; the others go on."""
        if not self._listener.done():
            try:
                self._state.reset_stream(number, ErrorCodes.CANCEL)
            except ProtocolError:
                # It ended by itself.
                return
            self._flush()

    async def _listen(self) -> None:
        reason = "the server closed the connection"
        try:
            while data := await self._hear():
                for frame in self._frames(data):
                    self._take(frame)
                self._flush()
        except (OSError, TimeoutError, ProtocolError) as error:
            reason = f"{type(error).__name__}: {error}"
        finally:
            self._wire.abort()
            for one in self._open.values():
                if not one.answer.done():
                    one.answer.set_exception(GoneError(reason))

    async def _hear(self) -> bytes:
        """What comes next; a silent connection is asked whether it is alive."""
        reader = self._wire.reader
        try:
            async with asyncio.timeout(READ_IDLE_SECONDS):
                return await reader.read(CHUNK)
        except TimeoutError:
            self._state.ping(b"kube-ha.")
            self._flush()
        async with asyncio.timeout(PING_SECONDS):
            return await reader.read(CHUNK)

    def _frames(self, data: bytes) -> Iterator[bytes]:
        self._received += data
        while len(self._received) >= FRAME_HEADER:
            size = FRAME_HEADER + int.from_bytes(self._received[:3])
            if len(self._received) < size:
                return
            yield bytes(self._received[:size])
            del self._received[:size]

    def _take(self, frame: bytes) -> None:
        if frame[3] == GOAWAY:
            # The protocol lets open streams end after it; the library does not, so it is not told.
            self._leaving = True
            return
        for event in self._state.receive_data(frame):
            match event:
                case ResponseReceived(stream_id=number, headers=headers) if number in self._open:
                    self._open[number].status = int(dict(headers)[b":status"])
                case DataReceived(stream_id=number, data=part):
                    self._state.acknowledge_received_data(event.flow_controlled_length or 0, number or 0)
                    if number in self._open:
                        self._open[number].body += part or b""
                case StreamEnded(stream_id=number) if number in self._open:
                    one = self._open[number]
                    if not one.answer.done():
                        one.answer.set_result(Answer(one.status, bytes(one.body), keep=True))
                case StreamReset(stream_id=number, error_code=code) if number in self._open:
                    if not self._open[number].answer.done():
                        self._open[number].answer.set_exception(GoneError(f"the server reset the stream: {code}"))

    def _flush(self) -> None:
        if data := self._state.data_to_send():
            self._wire.writer.write(data)


@dataclass
class Stream:
    """A stream of a session: one request."""

    session: Session
    number: int | None = None

    async def exchange(self, message: Message) -> Answer:
        """See `Conversation`."""
        self.number = self.session.begin(message)
        return await self.session.answer(self.number)

    def abort(self) -> None:
        """See `Conversation`."""
        if self.number is not None:
            self.session.cancel(self.number)


class SharedPool(Pool):
    """Requests share one connection, where the server speaks HTTP/2."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext) -> None:
        super().__init__(host, port, tls)
        self._session: Session | None = None
        self._connecting = asyncio.Lock()

    async def take(self) -> Conversation:
        """A stream of the session, a new one where it takes no more; an HTTP/1.1 connection where that is spoken.

        Raises:
            ConnectError: TCP or TLS was not established.
        """
        if self.idle:
            return await super().take()
        async with self._connecting:
            if self._session is None or not self._session.usable:
                wire = await self.connect()
                protocol = wire.writer.get_extra_info("ssl_object").selected_alpn_protocol()
                if protocol != "h2":
                    return wire
                self._session = Session(wire)
            return Stream(self._session)
