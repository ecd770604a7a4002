"""Processes of a drill: started with one line of instructions, ended by the end of their standard input."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

GOODBYE_SECONDS: Final = 30.0


@dataclass
class Child:
    """What is known of a process once it has ended."""

    said: str = ""
    """Its standard output."""


class ChildError(Exception):
    """A process of the drill failed; names it and its exit code."""


@contextmanager
def child(module: str, line: str) -> Iterator[Child]:
    """Run a module of this package for as long as the block lasts.

    In a session of its own, so that Ctrl-C reaches the drill alone, which then ends it in order.

    Raises:
        ChildError: it ended with an error.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdin  # noqa: S101  # a pipe was asked for
    result = Child()
    try:
        process.stdin.write(line)
        process.stdin.flush()
        yield result
    finally:
        result.said, _ = process.communicate(timeout=GOODBYE_SECONDS)
    if process.returncode:
        raise ChildError(f"python -m {module} ended with exit code {process.returncode}")
