"""`make recovery-keys`: the keys that a restore into another stack takes, out of the store and unwrapped."""

from pathlib import Path

from cli.object_store import Memory
from cli.refused import RefusedError
from cli.up import write_private
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
