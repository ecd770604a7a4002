"""Where the passthrough's connections lead, and when they end: HAProxy itself, before members that say who they are."""

import csv
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from components.node import passthrough
from components.node.agent.balancer import ask
from components.node.agent.passthrough import SpareError, spare
from components.node.etcd import CLIENT_PORT, METRICS_PORT
from components.node.machine import Peer, Role
from tests.agent.conftest import document
from tests.agent.processes import eventually

OWN, OTHER = (Peer(name=f"m{i}", zone="z", address=f"127.77.5.{i}") for i in (1, 2))


class Member:
    """Says its address to whoever connects, and holds the connection."""

    def __init__(self, address: str, stack: ExitStack) -> None:
        self.live = True
        member = self

        class Livez(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200 if member.live else 503)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base class's name
                """Checks are no events."""

        server = stack.enter_context(ThreadingHTTPServer((address, METRICS_PORT), Livez))
        stack.callback(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        listener = stack.enter_context(socket.create_server((address, CLIENT_PORT)))
        # A listener that is closed while a thread accepts from it keeps its port.
        stack.callback(listener.shutdown, socket.SHUT_RDWR)
        threading.Thread(target=self._serve, args=(listener, address.encode(), stack), daemon=True).start()

    def _serve(self, listener: socket.socket, words: bytes, stack: ExitStack) -> None:
        while True:
            try:
                connection = stack.enter_context(listener.accept()[0])
                connection.sendall(words)
            except OSError:
                return


class Running:
    """A passthrough to two members."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, stack: ExitStack, binary: str) -> None:
        self.members = {peer.name: Member(peer.address, stack) for peer in (OWN, OTHER)}
        self._stack = stack
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self._port: int = listener.getsockname()[1]
        path = folder / "admin.sock"
        text = passthrough.render(document(OWN.name, (OWN, OTHER), role=Role.MASTER))
        text = text.replace(passthrough.SOCKET, str(path)).replace("127.0.0.1:2379", f"127.0.0.1:{self._port}")
        (folder / "cfg").write_text(text)
        process = subprocess.Popen([binary, "-db", "-f", folder / "cfg"], stderr=subprocess.DEVNULL)
        stack.callback(process.wait)
        stack.callback(process.terminate)
        patch.setattr(passthrough, "SOCKET", str(path))
        eventually(path.exists, 5, "HAProxy listens")

    def connect(self) -> Any:
        """A connection, and the address of the member that it leads to."""
        connection = self._stack.enter_context(socket.create_connection(("127.0.0.1", self._port), timeout=5))
        return connection, connection.recv(100).decode()

    def nobody_is_up(self) -> bool:
        """Whether every check has failed."""
        rows = csv.DictReader(ask("show stat", passthrough.SOCKET).lstrip("# ").splitlines())
        return all(row["status"] == "DOWN" for row in rows if row["svname"] in self.members)


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    binary = shutil.which("haproxy", path="/usr/sbin:/usr/bin")
    if binary is None:
        pytest.skip("haproxy is not installed")
    with ExitStack() as stack:
        yield Running(tmp_path, monkeypatch, stack, binary)


def test_a_spared_member_loses_its_connections_to_another_one_until_it_is_not_spared_any_more(
    running: Running,
) -> None:
    first, member = running.connect()
    assert member == OWN.address
    spare(OWN.name, spared=True)
    assert first.recv(100) == b""
    assert running.connect()[1] == OTHER.address
    spare(OWN.name, spared=False)
    assert running.connect()[1] == OWN.address
    with pytest.raises(SpareError, match="nobody"):
        spare("nobody", spared=True)


def test_a_connection_made_while_no_member_was_well_does_not_outlast_that(running: Running) -> None:
    """No check looks after it: it would hang as long as its client's patience lasts when that member dies."""
    first, _ = running.connect()
    for member in running.members.values():
        member.live = False
    assert first.recv(100) == b"", "its member is down"
    eventually(running.nobody_is_up, 5, "the other one is down as well")
    unasked, _ = running.connect()
    running.members[OTHER.name].live = True
    assert unasked.recv(100) == b""
    assert running.connect()[1] == OTHER.address
