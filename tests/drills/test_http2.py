"""Clients of HTTP/2 share one connection, leave it when told to, and find out when it is silent."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RequestReceived, StreamEnded

from drills import http2, kubeconfig
from drills.http2 import GoneError, SharedPool, Stream
from drills.transport import Wire, request
from tests.drills.fake_api import FakeApi

GET = request("GET", "/thing", "host", {"Authorization": "Bearer x"})


class Server:
    """Answers every request of HTTP/2 with its path, unless told otherwise."""

    def __init__(self) -> None:
        self.connections = 0
        self.silent = False
        self.leave = False
        """Says that it goes away before it answers, as API servers do now and then."""
        self.reset = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        state = H2Connection(H2Configuration(client_side=False))
        state.initiate_connection()
        writer.write(state.data_to_send())
        paths = {}
        while data := await reader.read(65536):
            if self.silent:
                continue
            for event in state.receive_data(data):
                if isinstance(event, RequestReceived):
                    paths[event.stream_id] = dict(event.headers)[b":path"]
                if isinstance(event, StreamEnded):
                    self.answer(state, event.stream_id, paths[event.stream_id], writer)
            writer.write(state.data_to_send())
        writer.close()

    def answer(self, state: H2Connection, number: int, path: bytes, writer: asyncio.StreamWriter) -> None:
        if self.reset:
            state.reset_stream(number)
            return
        if self.leave:
            # The frame by hand: the library would not answer any more after it.
            writer.write(state.data_to_send() + bytes.fromhex("0000080700000000007fffffff00000000"))
        state.send_headers(number, [(":status", "200")])
        state.send_data(number, path, end_stream=True)


@asynccontextmanager
async def serving(server: Server, api: FakeApi, protocol: str = "h2") -> AsyncIterator[SharedPool]:
    access = kubeconfig.load(api.kubeconfig)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(Path(api.folder) / "server.crt", Path(api.folder) / "server.key")
    context.set_alpn_protocols([protocol])
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=context)
    yield SharedPool("127.0.0.1", listening.sockets[0].getsockname()[1], access.tls("h2", "http/1.1"))
    listening.close()


async def ask(pool: SharedPool) -> str:
    answer = await (await pool.take()).exchange(GET)
    assert answer.status == 200
    return answer.body.decode()


def test_requests_at_the_same_time_share_one_connection(api: FakeApi) -> None:
    server = Server()

    async def client() -> list[str]:
        async with serving(server, api) as pool:
            return await asyncio.gather(*(ask(pool) for _ in range(50)))

    assert asyncio.run(client()) == ["/thing"] * 50
    assert server.connections == 1


def test_a_server_that_goes_away_still_answers_and_the_next_request_goes_elsewhere(api: FakeApi) -> None:
    server = Server()

    async def client() -> None:
        async with serving(server, api) as pool:
            server.leave = True
            assert await ask(pool) == "/thing"
            server.leave = False
            assert await ask(pool) == "/thing"

    asyncio.run(client())
    assert server.connections == 2


def gone(change: Callable[[Server], None], api: FakeApi) -> None:
    async def client() -> None:
        server = Server()
        async with serving(server, api) as pool:
            assert await ask(pool) == "/thing"
            change(server)
            with pytest.raises(GoneError):
                await asyncio.wait_for(ask(pool), 5)

    asyncio.run(client())


def test_a_silent_connection_is_given_up(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http2, "READ_IDLE_SECONDS", 0.2)
    monkeypatch.setattr(http2, "PING_SECONDS", 0.1)
    gone(lambda server: setattr(server, "silent", True), api)


def test_a_stream_that_is_reset_has_no_answer(api: FakeApi) -> None:
    gone(lambda server: setattr(server, "reset", True), api)


def test_a_request_that_is_given_up_leaves_the_connection_to_the_others(api: FakeApi) -> None:
    server = Server()

    async def client() -> None:
        async with serving(server, api) as pool:
            stream = await pool.take()
            assert isinstance(stream, Stream)
            stream.session.begin(GET)
            stream.abort()
            assert await ask(pool) == "/thing"

    asyncio.run(client())
    assert server.connections == 1


def test_where_http_2_is_not_offered_it_is_http_1(api: FakeApi) -> None:
    async def client() -> None:
        async with serving(Server(), api, protocol="http/1.1") as pool:
            assert isinstance(await pool.take(), Wire)

    asyncio.run(client())
