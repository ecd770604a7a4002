"""`make down`: says which data goes, then destroys the stack with what is protected, and leaves nothing behind."""

import subprocess
import sys

from cli import deletion, pending, stale_lock
from cli.confirmation import confirm
from cli.engine import Engine
from cli.up import kubeconfig_path
from toolchain.progress import console


def down(engine: Engine) -> int:
    """Destroy the stack; the exit status.

    Raises:
        RefusedError: it is not on this machine, and nobody confirmed that all of it goes.
    """
    stale_lock.release(engine)
    pending.forget(engine)
    resources = engine.resources()
    local = deletion.is_local(resources)
    if resources:
        announce(engine.stack, deletion.data(resources))
        if not local:
            confirm(engine.stack, "delete all of it", "run `make down` on a terminal")
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
