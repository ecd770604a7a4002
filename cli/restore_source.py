"""What a restore takes: a snapshot of this cluster's in its object store, or a file that somebody brought."""

import time
from dataclasses import dataclass
from pathlib import Path

from cli import restore_plan as plan
from cli.object_store import Memory
from cli.refused import RefusedError
from cli.snapshots import readable, span, verdict
from components.node.agent.snapshot_file import DamagedError, inspect
from components.node.agent.snapshot_store import BrokenSnapshotError, SnapshotStore
from components.node.record import REVISIONS, RestoreOrder
from components.node.snapshots import SnapshotKeys
from toolchain.cache import binary
from toolchain.versions import ETCD


@dataclass(frozen=True)
class Source:
    """A snapshot that was checked."""

    key: str
    """Where it is, or will be, in the object store."""
    sha256: str
    revision: int
    told: tuple[str, ...]
    """What there is to know about it, a line each."""
    time: float | None
    """When it was taken, Unix time; None of a file, which is of another history."""
    file: Path | None = None

    def lost(self, newest: int | None, before: RestoreOrder | None) -> str:
        """What a restore loses now; `newest` is the last revision of the history that it ends, where that is known,
        `before` the restore that this history began with, if one was ever ordered.
        """
        if self.time is None:
            return "everything that the stack holds now"
        return str(plan.loss(self.revision, self.time, newest, time.time(), before))

    def lost_in_the_end(self, ended_at: int, before: RestoreOrder | None) -> str:
        """What it has lost; `ended_at` is where the old history ended."""
        if self.time is None:
            return f"the stack's own history, of {ended_at % REVISIONS} revisions"
        return f"{plan.lost_revisions(self.revision, ended_at, before)} revisions"

    def bring(self, known: Memory) -> None:
        """Put it where the machines find it, unless it is there."""
        if self.file is not None:
            known.store.put(self.key, self.file.read_bytes())


def stored(known: Memory, name: str | None, at: str | None) -> Source:
    """The snapshot that is meant, after all checks that need no more than the object store.

    Raises:
        RefusedError: there is none, or it may not be restored.
    """
    store, now = SnapshotStore(known.store, known.uid), time.time()
    found = store.catalogue()
    snapshot = plan.chosen(found.snapshots, name, at, now)
    try:
        metadata = store.metadata(snapshot.name)
    except BrokenSnapshotError as error:
        raise RefusedError(str(error)) from None
    plan.check(snapshot, metadata, size=found.sizes[snapshot.name], uids=(known.uid,), etcd=ETCD, now=now)
    told = (
        f"snapshot  {snapshot.name}, {span(now - metadata.time)} old",
        f"holds     revision {metadata.revision}, {metadata.keys} keys, {readable(metadata.bytes)}",
        f"proven    {verdict(store.proof(snapshot.name), now)}",
    )
    return Source(store.keys.database(snapshot.name), metadata.sha256, metadata.revision, told, metadata.time)


def brought(known: Memory, file: Path) -> Source:
    """A file as `make fetch-snapshot` and `etcdctl snapshot save` write it.

    Raises:
        RefusedError: it is no whole snapshot, or a newer etcd's.
    """
    try:
        found = inspect(binary("etcdutl"), file)
    except (OSError, DamagedError) as error:
        raise RefusedError(f"FROM={file}: {error}") from None
    plan.refuse_newer(str(file), found.etcd, ETCD)
    told = (
        f"file      {file}, whole",
        f"holds     revision {found.revision}, {found.keys} keys, {readable(found.bytes)}",
        "readable  only with the keys of the cluster that it is of: make adopt-keys before the stack's first up",
    )
    return Source(SnapshotKeys(known.uid).brought(found.sha256), found.sha256, found.revision, told, None, file)
