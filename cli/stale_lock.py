"""Releases a stack that an engine of this machine has locked and can no longer release: it was killed."""

import json
import os
import socket
from pathlib import Path

from cli.engine import Engine
from providers.local import processes
from toolchain.progress import console


def release(engine: Engine) -> None:
    """Have the CLI release the stack's locks where all of them are left over."""
    locks = read_locks(Path(engine.env["PULUMI_BACKEND_URL"].removeprefix("file://")), engine.stack)
    if locks and all(left_over(lock) for lock in locks):
        console.print(f"releasing the lock of an interrupted run on stack {engine.stack}")
        engine.read("cancel", "--yes", engine.stack)


def read_locks(backend: Path, stack: str) -> list[dict[str, object]]:
    """The locks of a stack in a backend that is a folder; none where it is somewhere else."""
    return [json.loads(path.read_text()) for path in sorted(backend.glob(f".pulumi/locks/**/{stack}/*.json"))]


def left_over(lock: dict[str, object]) -> bool:
    """Whether the process that holds a lock was on this machine and is gone."""
    pid = lock.get("pid")
    if lock.get("hostname") != socket.gethostname() or not isinstance(pid, int):
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    # Killed, and not yet buried by whoever adopted it.
    fields = processes.stat(pid)
    return fields is not None and fields[0] in "ZX"
