"""Running the system's commands, with errors that say what was run and what it said."""

import subprocess
from collections.abc import Sequence


class CommandError(Exception):
    """A command of the system failed."""


def run(*argv: str, stdin: str | None = None, timeout: float = 60) -> str:
    """Run a command to its end; its standard output.

    Raises:
        CommandError: it failed, is not installed, or took longer than `timeout` seconds.
    """
    try:
        done = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=timeout, check=False)
    except FileNotFoundError as error:
        raise CommandError(f"{argv[0]} is not installed: run `make tools`") from error
    except subprocess.TimeoutExpired as error:
        raise CommandError(f"{' '.join(argv)}: no end after {timeout:g} s") from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip() or f"exit code {done.returncode}"
        raise CommandError(f"{' '.join(argv)}: {said}")
    return done.stdout


def ip(namespace: str | None, commands: Sequence[str]) -> None:
    """Run a batch of `ip` commands in a network namespace, or in the host's own; it stops at the first that fails."""
    where = ("-n", namespace) if namespace else ()
    run("ip", *where, "-batch", "-", stdin="\n".join(commands) + "\n")
