"""`make recovery-keys`, `make adopt-keys`: the keys that a restore into another stack takes, out of one and into it."""

from pathlib import Path

from cli.engine import Engine
from cli.object_store import Memory
from cli.refused import RefusedError
from cli.up import write_private
from components import recovery
from components.node.snapshots import SnapshotKeys
from toolchain.progress import console


def write(memory: Memory, file: Path) -> int:
    """Write the newest version as JSON, secret name → content, to a file that only its owner reads; the exit status.

    Raises:
        RefusedError: there is none, or the file is there already.
    """
    if file.exists():
        raise RefusedError(f"{file}: is there already; name another file")
    stored = memory.store.list(SnapshotKeys(memory.uid).recovery)
    if not stored:
        raise RefusedError("no recovery keys are stored yet: a master stores them when the cluster is up")
    newest = max(stored, key=lambda entry: entry.modified)
    write_private(file, memory.store.unwrap(memory.store.get(newest.key)[0]).decode())
    console.print(f"{newest.key} unwrapped to {file}: whoever has it is the cluster", soft_wrap=True)
    return 0


def adopt(engine: Engine, file: Path) -> int:
    """Give a stack that is not up yet the keys of another one's file, encrypted in its configuration; the exit status.

    Raises:
        RefusedError: the stack is up, or the file is not what `write` writes.
    """
    if engine.resources():
        raise RefusedError(
            f"stack {engine.stack} is up, with keys of its own; a cluster's keys are those that it was made with:"
            " name a stack that is not up yet"
        )
    try:
        text = file.read_text()
        recovery.parse(text)
    except OSError as error:
        raise RefusedError(f"{file}: {error.strerror}; recovery-keys of the other stack writes it") from None
    except recovery.RecoveryKeysError as error:
        raise RefusedError(f"{file}: {error}") from None
    engine.select()
    key = f"{recovery.NAMESPACE}:{recovery.NAME}"
    engine.read("config", "set", "--secret", key, "--stack", engine.stack, typed=text)
    console.print(f"stack {engine.stack} has the keys of {file}, encrypted, as {key}; next: make up", soft_wrap=True)
    return 0
