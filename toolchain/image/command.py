"""Runs the programs that build an image."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

LAST_LINES: Final = 20
"""How much of a failed program's output an error shows."""

ENDS_WITH_US: Final = ("setpriv", "--pdeathsig", "KILL")
"""Put before a program, makes the kernel end it when this process ends, however that does."""


class ImageError(Exception):
    """The image could not be built; the message says which step failed and the last it said."""


def run(*command: str | Path, feed: str = "") -> str:
    """Run a program to its end and give back what it wrote; `feed` is its standard input.

    It gets a mount and a process namespace of its own and ends when we do: whatever happens to it or to us, the kernel
    removes every mount and every process that it left.

    Raises:
        ImageError: it is not installed, or it failed.
    """
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            [*ENDS_WITH_US, "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--", *words],
            input=feed,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise ImageError("setpriv (package util-linux) is not installed") from error
    if done.returncode:
        raise ImageError(f"{' '.join(words[:3])} … failed with status {done.returncode}:\n{ending(done.stdout)}")
    return done.stdout


def ending(output: str) -> str:
    """The last lines, where programs say why they ended."""
    return "\n".join(output.splitlines()[-LAST_LINES:])


def within(root: Path, *command: str | Path) -> Sequence[str | Path]:
    """The command line that runs `command` with `root` as its root directory."""
    return ("chroot", root, *command)
