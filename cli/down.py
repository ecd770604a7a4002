"""`make down`: says which data goes, then destroys the stack with what is protected, and leaves nothing behind."""

import subprocess
import sys

from cli import deletion, pending, stale_lock
from cli.engine import Engine
from cli.refused import RefusedError
from cli.up import kubeconfig_path
from toolchain.progress import console


def down(engine: Engine) -> int:
    """Destroy the stack; the exit status."""
    stale_lock.release(engine)
    pending.forget(engine)
    resources = engine.resources()
    local = deletion.is_local(resources)
    if resources:
        announce(engine.stack, deletion.data(resources))
        if not local:
            confirm(engine.stack)
        engine.read("state", "unprotect", "--all", "--yes", "--stack", engine.stack)
        engine.run("destroy", "--yes", "--skip-preview", "--stack", engine.stack)
    kubeconfig_path(engine.stack).unlink(missing_ok=True)
    if local:
        # What an interrupted run made and never wrote into the state.
        purge = [sys.executable, "-m", "providers.local", "purge", "--stack", engine.stack]
        return subprocess.run(purge, cwd=engine.repository, env=engine.env, check=False).returncode
    return 0


def announce(stack: str, data: list[str]) -> None:
    """Say what is lost."""
    holds = " and, for good, its data:" if data else "; it holds no data"
    console.print(f"stack {stack}: this deletes the cluster{holds}", soft_wrap=True)
    for line in data:
        console.print(f"  {line}", soft_wrap=True)


def confirm(stack: str) -> None:
    """Ask for the stack's name where its resources are not on this machine.

    Raises:
        RefusedError: another answer, or nobody to ask.
    """
    if not sys.stdin.isatty():
        raise RefusedError(f"stack {stack} is not on this machine: run `make down` on a terminal, it asks for the name")
    if input("Type the stack's name to delete all of it: ") != stack:
        raise RefusedError(f"that was not {stack}; nothing was deleted")
