"""Processes of the host by pid and start time, so that a reused pid is never taken for the old one."""

import contextlib
import os
import select
import signal
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict

POWER_OFF_SIGNAL = signal.SIGRTMIN + 4
"""systemd as PID 1 powers off in order when it gets it (systemd(1), SIGNALS)."""


class Process(BaseModel):
    """A process, for as long as it lives."""

    model_config = ConfigDict(frozen=True)

    pid: int
    started: int
    """Clock ticks after boot, field 22 of /proc/<pid>/stat."""

    def alive(self) -> bool:
        """Whether it runs; a zombie does not."""
        fields = stat(self.pid)
        return fields is not None and fields[0] not in "ZX" and int(fields[19]) == self.started

    def send(self, number: int) -> None:
        """Send it a signal, if it still runs."""
        with self._pidfd() as pidfd:
            if pidfd is not None:
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(pidfd, number)

    def wait(self, seconds: float, wake: int | None = None) -> bool:
        """Wait until it ends, or until the descriptor `wake` is readable; whether it ended."""
        with self._pidfd() as pidfd:
            if pidfd is None:
                return True
            poll = select.poll()
            for descriptor in (pidfd, wake):
                if descriptor is not None:
                    poll.register(descriptor, select.POLLIN)
            ready = {descriptor for descriptor, _ in poll.poll(seconds * 1000)}
        if pidfd not in ready:
            return False
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, os.WNOHANG)
        return True

    @contextlib.contextmanager
    def _pidfd(self) -> Iterator[int | None]:
        try:
            pidfd = os.pidfd_open(self.pid)
        except ProcessLookupError:
            yield None
            return
        try:
            # The start time is compared once the descriptor is held: from here on the pid cannot change its meaning.
            yield pidfd if self.alive() else None
        finally:
            os.close(pidfd)


def stat(pid: int) -> list[str] | None:
    """Fields of /proc/<pid>/stat from the state (field 3) on, or None when there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def process(pid: int) -> Process:
    """The process that has this pid now.

    Raises:
        ProcessLookupError: there is none.
    """
    fields = stat(pid)
    if fields is None:
        raise ProcessLookupError(f"no process {pid}")
    return Process(pid=pid, started=int(fields[19]))


def children(pid: int) -> list[int]:
    """Pids of the direct children of a process."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def descendants(pid: int) -> Iterator[int]:
    """Pids of everything below a process: of all that runs in a machine, when it is the machine's init."""
    for child in children(pid):
        yield child
        yield from descendants(child)


def arguments(pid: int) -> list[str]:
    """Its command line; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").rstrip("\0").split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return []
