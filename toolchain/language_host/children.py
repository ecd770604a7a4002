"""Processes that the host starts: their output as it comes, and their end with the host's own."""

import queue
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, Literal

Stream = Literal["stdout", "stderr"]


class Children:
    """What runs on behalf of this host."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()

    def run(self, command: Sequence[str], cwd: str, env: Mapping[str, str]) -> int:
        """Run a program whose output is the host's own (the engine shows it); its exit status."""
        with self._child(command, cwd, env, None) as child:
            return child.wait()

    def output(self, command: Sequence[str], cwd: str, env: Mapping[str, str]) -> str:
        """What a program prints; empty where it fails."""
        done = subprocess.run(command, cwd=cwd or None, env=env, capture_output=True, text=True, check=False)
        return done.stdout

    def stream(self, command: Sequence[str], cwd: str, env: Mapping[str, str]) -> Iterator[tuple[Stream, bytes] | int]:
        """Run a plugin: its lines as they come, then its exit status. It ends when the iteration is given up."""
        with self._child(command, cwd, env, subprocess.PIPE) as child:
            lines: queue.Queue[tuple[Stream, bytes]] = queue.Queue()
            for pipe in (("stdout", child.stdout), ("stderr", child.stderr)):
                threading.Thread(target=pump, args=(*pipe, lines), daemon=True).start()
            ended = 0
            while ended < 2:
                name, line = lines.get()
                if line:
                    yield name, line
                else:
                    ended += 1
            yield child.wait()

    def end(self) -> None:
        """Ask all of them to end."""
        with self._lock:
            for child in self._running:
                child.terminate()

    @contextmanager
    def _child(
        self, command: Sequence[str], cwd: str, env: Mapping[str, str], output: int | None
    ) -> Iterator[subprocess.Popen[bytes]]:
        child = subprocess.Popen(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        with self._lock:
            self._running.add(child)
        try:
            yield child
        finally:
            with self._lock:
                self._running.discard(child)
            if child.poll() is None:
                child.terminate()


def pump(name: Stream, source: IO[bytes], lines: "queue.Queue[tuple[Stream, bytes]]") -> None:
    """Move lines from a pipe to a queue; an empty one says that the pipe has ended."""
    for line in source:
        lines.put((name, line))
    lines.put((name, b""))
