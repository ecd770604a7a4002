"""Connections that etcd only reads from are ended when nothing comes over them, and no others."""

import errno
import os
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from components.node.agent import peers, sock_diag
from components.node.agent.peers import QUESTION_BYTES, SILENT_SECONDS, Peers, drop_unsent, end_silent, is_silent
from components.node.agent.sock_diag import Connection
from components.node.machine import Role
from tests.agent.conftest import ME, document, idle_member

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may end a connection")


@pytest.fixture
def open_connections() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


class Pair:
    """A connection of two processes, as the kernel sees it."""

    def __init__(self, stack: ExitStack) -> None:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        self.port = listener.getsockname()[1]
        self.reader = stack.enter_context(socket.create_connection(("127.0.0.1", self.port), timeout=1))
        self.writer = stack.enter_context(listener.accept()[0])
        self.ask(b"GET /raft/stream/message\r\n")

    def ask(self, question: bytes) -> None:
        self.reader.sendall(question)
        left = len(question)
        while left:
            left -= len(self.writer.recv(left))

    def tell(self) -> None:
        self.writer.sendall(b"heartbeat")
        self.reader.recv(100)

    def alive(self) -> bool:
        try:
            self.tell()
        except OSError:
            return False
        return True


@needs_root
def test_connection_over_which_nothing_comes_is_ended_on_both_sides(
    tmp_path: Path, open_connections: ExitStack
) -> None:
    pair = Pair(open_connections)
    time.sleep(0.06)
    end_silent(idle_member(tmp_path), pair.port, seconds=0.05)
    with pytest.raises(ConnectionError):
        pair.reader.recv(100)
    with pytest.raises(ConnectionError):
        pair.writer.recv(100)


@needs_root
def test_connection_that_was_written_to_a_moment_ago_stays(tmp_path: Path, open_connections: ExitStack) -> None:
    pair = Pair(open_connections)
    pair.tell()
    end_silent(idle_member(tmp_path), pair.port, seconds=5.0)
    assert pair.alive()


@needs_root
def test_silence_is_counted_from_what_was_heard_last_and_not_from_what_was_asked(open_connections: ExitStack) -> None:
    pair, asked = Pair(open_connections), time.monotonic()
    time.sleep(0.1)
    pair.tell()
    (found,) = sock_diag.established(pair.port)
    assert found.silent_seconds <= time.monotonic() - asked - 0.05


@needs_root
def test_database_on_its_way_to_a_member_is_not_cut_short(tmp_path: Path, open_connections: ExitStack) -> None:
    pair = Pair(open_connections)
    pair.ask(b"x" * QUESTION_BYTES)
    time.sleep(0.06)
    end_silent(idle_member(tmp_path), pair.port, seconds=0.05)
    assert pair.alive()


@needs_root
def test_connections_that_others_made_to_this_member_are_not_looked_at(open_connections: ExitStack) -> None:
    # Of a stream that this member writes nothing comes back. Its own port is what it listens on, and no peer's.
    pair = Pair(open_connections)
    (theirs,) = sock_diag.established(pair.port)
    (ours,) = sock_diag.established(pair.reader.getsockname()[1])
    assert ours.identity != theirs.identity
    assert ours.identity[:2] == theirs.identity[2:4] == struct.pack("!H", pair.port)


@needs_root
def test_connection_that_is_gone_meanwhile_is_no_error(open_connections: ExitStack) -> None:
    pair = Pair(open_connections)
    (found,) = sock_diag.established(pair.port)
    assert sock_diag.destroy(found)
    assert not sock_diag.destroy(found)


@needs_root
def test_what_waits_to_be_sent_is_dropped_of_one_member_alone(tmp_path: Path, open_connections: ExitStack) -> None:
    """A link that is full, as a reader that reads nothing: half a megabyte waits for it."""
    pair, waiting = Pair(open_connections), b"x" * 4096
    pair.writer.setblocking(False)
    with suppress(BlockingIOError):
        while True:
            pair.writer.send(waiting)
    drop_unsent(idle_member(tmp_path), "127.0.0.9", pair.port)
    assert sock_diag.accepted(pair.port)
    drop_unsent(idle_member(tmp_path), "127.0.0.1", pair.port)
    assert not sock_diag.accepted(pair.port)
    with pytest.raises(ConnectionError):
        pair.writer.send(waiting)


def test_silence_is_what_etcd_takes_for_one() -> None:
    assert is_silent(silent_for(SILENT_SECONDS, 2000), SILENT_SECONDS)
    assert not is_silent(silent_for(SILENT_SECONDS - 0.1, 2000), SILENT_SECONDS)
    assert not is_silent(silent_for(60.0, QUESTION_BYTES + 1), SILENT_SECONDS)


def silent_for(seconds: float, sent: int) -> Connection:
    return Connection(b"", silent_seconds=seconds, sent_bytes=sent, sent_segments=3, round_trip_seconds=0.001)


@pytest.mark.parametrize("number", [errno.EOPNOTSUPP, errno.ENOENT])
def test_kernel_that_ends_no_connections_is_said_once_and_is_no_concern(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: int
) -> None:
    def refuse(port: int) -> list[Connection]:
        raise OSError(number, "no")

    monkeypatch.setattr(sock_diag, "established", refuse)
    context = idle_member(tmp_path)
    end_silent(context)
    end_silent(context)
    assert capsys.readouterr().out.count("ends no connections") == 1


def test_what_else_the_kernel_refuses_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(port: int) -> list[Connection]:
        raise PermissionError(errno.EPERM, "no")

    monkeypatch.setattr(sock_diag, "established", refuse)
    with pytest.raises(PermissionError):
        end_silent(idle_member(tmp_path))


def test_message_without_figures_is_an_error() -> None:
    with pytest.raises(ValueError, match="INET_DIAG_INFO"):
        sock_diag.connection(b"\0" * 80)


def test_only_machines_that_carry_a_member_have_peers() -> None:
    assert Peers().applies(document(ME.name, (ME,)))
    assert not Peers().applies(document("master-of-others", (ME,), role=Role.MASTER))
    assert peers.ROUND_SECONDS < SILENT_SECONDS
