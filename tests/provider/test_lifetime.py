"""A plugin ends with its engine, also one whose host was gone before it looked."""

import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from providers import lifetime

HOST = "import subprocess, sys; subprocess.Popen(sys.argv[1:])"
"""Starts a plugin and is gone at once: the plugin never sees it."""
PORT_SECONDS = 30
ENDS_SECONDS = 10


@pytest.fixture
def engine() -> Iterator[socket.socket]:
    """What listens as the engine does for its plugins."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def address(engine: socket.socket) -> str:
    return f"127.0.0.1:{engine.getsockname()[1]}"


def test_an_engine_listens_until_it_is_gone(engine: socket.socket) -> None:
    where = address(engine)
    assert lifetime.listens(where)
    engine.close()
    assert not lifetime.listens(where)


def test_an_engine_that_is_too_busy_to_accept_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifetime, "ANSWER_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as busy, socket.create_connection(busy.getsockname()):
        assert lifetime.listens(address(busy))


def test_an_interrupt_ends_it_before_the_engine_is_gone(engine: socket.socket) -> None:
    stopping = threading.Event()
    stopping.set()
    lifetime.follow(address(engine), stopping)
    assert lifetime.listens(address(engine))


def test_a_plugin_that_never_saw_its_host_serves_its_engine_and_ends_with_it(engine: socket.socket) -> None:
    plugin = [sys.executable, "-u", str(Path(lifetime.__file__).parent / "random"), address(engine)]
    with subprocess.Popen([sys.executable, "-c", HOST, *plugin], stdout=subprocess.PIPE, text=True) as host:
        assert host.stdout
        assert int(host.stdout.readline()), "the port that it serves on"
        host.wait(PORT_SECONDS)
        time.sleep(2 * lifetime.LOOK_SECONDS)
        assert not select.select([host.stdout], [], [], 0)[0], "it ended, and its engine is there"
        engine.close()
        assert select.select([host.stdout], [], [], ENDS_SECONDS)[0], "it outlives its engine"
        assert not host.stdout.read()
