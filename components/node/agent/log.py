"""One line per event: to the journal, and to the console so that the cloud's console output shows it."""

import contextlib
import os
import sys
from pathlib import Path


class Log:
    """Callable: `log("etcd", "started as member-1")`. Never give it a secret."""

    def __init__(self, console: Path | None = Path("/dev/console")) -> None:
        self._console = console
        self._last: dict[str, str] = {}

    def __call__(self, subject: str, event: str) -> None:
        """Write `subject: event`; line breaks become spaces so that one event stays one line."""
        line = f"kube-ha {subject}: {' '.join(event.split())}\n"
        sys.stdout.write(line)
        sys.stdout.flush()
        if self._console is not None:
            self._write_console(self._console, line)

    def changed(self, subject: str, event: str) -> None:
        """Write the event unless it is what was said about `subject` last: for things found at every tick."""
        if self._last.get(subject) != event:
            self._last[subject] = event
            self(subject, event)

    @staticmethod
    def _write_console(console: Path, line: str) -> None:
        # A console that is full or absent must not stop a machine.
        with contextlib.suppress(OSError):
            descriptor = os.open(console, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
            try:
                os.write(descriptor, line.encode())
            finally:
                os.close(descriptor)
