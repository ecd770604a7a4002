"""`make fetch-snapshot`: a snapshot as a file, to be kept elsewhere or restored into another stack."""

from pathlib import Path

from cli.object_store import Memory
from cli.refused import RefusedError
from cli.snapshots import existing, readable
from components.node.agent.snapshot_file import DamagedError, verified
from components.node.agent.snapshot_store import SnapshotStore
from toolchain.progress import console


def fetch(memory: Memory, name: str | None, file: Path) -> int:
    """Write the snapshot called `name`, else the newest, to a file that is not there yet; the exit status.

    Raises:
        RefusedError: there is no such snapshot, it is damaged, or the file is there.
    """
    if file.exists():
        raise RefusedError(f"{file}: is there already; name another file")
    known = SnapshotStore(memory.store, memory.uid)
    snapshot = existing(known, name) if name is not None else known.catalogue().newest
    if snapshot is None:
        raise RefusedError("there is no snapshot yet: make snapshot takes one")
    fresh = file.with_name(f".{file.name}.new")
    try:
        # Whoever reads it reads all of the cluster but what is encrypted in it.
        fresh.touch(mode=0o600)
        memory.store.download(memory_key := known.keys.database(snapshot.name), str(fresh))
        if (digest := verified(fresh)) != known.metadata(snapshot.name).sha256:
            raise RefusedError(f"{memory_key}: sha256 is {digest}, and not what was written")
        fresh.rename(file)
    except (OSError, DamagedError) as error:
        raise RefusedError(f"{snapshot.name}: {error}") from None
    finally:
        fresh.unlink(missing_ok=True)
    console.print(f"{snapshot.name}, {readable(file.stat().st_size)}, verified, is {file}", soft_wrap=True)
    return 0
