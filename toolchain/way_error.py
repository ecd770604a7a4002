"""How a way to get a tool fails."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

TAIL_LINES = 8
"""How much of a failed command's output a message carries."""


class WayError(Exception):
    """A way to get a tool did not work; the message is the reason that the user reads."""


def run(command: Sequence[str | Path], *, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> None:
    """Run a command of a way, with `env` added to the environment.

    Raises:
        WayError: it is not there, or it failed; with the end of what it printed.
    """
    shown = " ".join(str(part) for part in command[:3])
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise WayError(f"{shown}: {error.strerror}") from error
    if done.returncode != 0:
        tail = " | ".join(done.stdout.strip().splitlines()[-TAIL_LINES:])
        raise WayError(f"{shown} … ended with {done.returncode}: {tail}")
