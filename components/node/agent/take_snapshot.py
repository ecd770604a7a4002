"""Takes one snapshot: saved from a member, verified, uploaded with its metadata."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from components.node.agent.cloud import CloudError
from components.node.agent.cluster import answers
from components.node.agent.defragmentation import size_at
from components.node.agent.etcdctl import Etcdctl, EtcdctlError
from components.node.agent.snapshot_file import DamagedError, inspect
from components.node.agent.snapshot_store import BrokenSnapshotError, SnapshotStore, add
from components.node.agent.step import Context
from components.node.etcd import Files, client_url, metrics_url
from components.node.lock import ClusterLock, LockedError, LockLostError
from components.node.record import Keys, Record
from components.node.snapshots import Metadata, Reason, Snapshot, life_seconds

PURPOSE: Final = "snapshot"
LOCK_SECONDS: Final = 600.0
"""Longer than saving, or uploading, the largest snapshot: the lock is confirmed between the two."""

FRESH_SECONDS: Final = 600.0
"""Before a change, a snapshot younger than this will do: what is tried again and again must not fill the store."""

CHEAP_BYTES: Final = 1024**3
"""A database up to this size is snapshotted before a change, in about ten seconds; a larger one would hold it up."""

RESERVE_BYTES: Final = 512 * 1024**2
"""Disk space that a snapshot's file must leave."""


class SpaceError(Exception):
    """The disk has no room for a snapshot."""


def store(context: Context) -> SnapshotStore:
    """This cluster's snapshots."""
    return SnapshotStore(context.cloud, context.machine.uid)


def etcdctl(context: Context) -> Etcdctl:
    """With this machine's own client certificate, whether or not its member runs."""
    files = Files(context.paths.etcd_configuration)
    return Etcdctl(
        context.paths.binaries / "etcdctl", files.authority("client"), files.certificate("client"), files.key("client")
    )


def lock_of(context: Context) -> ClusterLock:
    """Held by whoever takes a snapshot. Not the cluster's lock, which may be held by a change that waits for one."""
    return ClusterLock(context.cloud, store(context).keys.lock, context.machine.name)


def serves(address: str) -> bool:
    """Whether the member at `address` is part of a quorum. One without space for writes is, and is worth saving."""
    return answers(metrics_url(address, "/health?exclude=NOSPACE"), timeout=2)


def take(context: Context, held: ClusterLock, address: str, reason: Reason) -> Snapshot:
    """Snapshot the member at `address` while `held` is held; what is in the store now.

    Raises:
        SpaceError, EtcdctlError, DamagedError, BrokenSnapshotError, CloudError: nothing was added.
        LockLostError: another machine is at it.
    """
    begun = time.monotonic()
    known, plan = store(context), context.machine.snapshots
    with scratch(context, size_at(address).file_bytes) as folder:
        path = folder / "snapshot.db"
        etcdctl(context).save_snapshot(client_url(address), path)
        contents = inspect(context.paths.binaries / "etcdutl", path)
        held.confirm()
        now = known.clock(known.keys.lock)
        snapshot = Snapshot(int(now), contents.revision)
        life = life_seconds(snapshot, known.catalogue().snapshots, plan.keep)
        metadata = Metadata(
            uid=context.machine.uid,
            generation=generation(context),
            time=now,
            revision=contents.revision,
            keys=contents.keys,
            bytes=contents.bytes,
            sha256=contents.sha256,
            etcd=contents.etcd,
            kubernetes=context.machine.kubernetes.version,
            member=context.machine.name,
            reason=reason,
            retain_until=snapshot.time + life if plan.locked else 0,
        )
        add(context.cloud, known.keys, metadata, snapshot, path)
    context.metrics.set("snapshot_seconds", time.monotonic() - begun)
    context.metrics.count("snapshots_taken_total", {"reason": reason.value})
    context.log("snapshots", f"{snapshot.name}: {contents.bytes} bytes, verified ({reason.value})")
    return snapshot


def before_change(context: Context, addresses: list[str]) -> None:
    """A snapshot of the first member of `addresses` that serves, where it costs little. Never raises: what is about to
    change heals the cluster, and must not wait for a store that is away.
    """
    address = next((address for address in addresses if serves(address)), None)
    if address is None:
        return
    try:
        newest = store(context).catalogue().newest
        # One from the future says that this machine's clock is wrong, as in `due`.
        if newest is not None and abs(time.time() - newest.time) < FRESH_SECONDS:
            return
        if size_at(address).file_bytes > CHEAP_BYTES:
            context.log("snapshots", f"none before this change: too large; the newest is {newest and newest.name}")
            return
        held = lock_of(context)
        with held.hold(PURPOSE, LOCK_SECONDS):
            take(context, held, address, Reason.CHANGE)
    except (
        CloudError, LockedError, LockLostError, EtcdctlError, DamagedError, BrokenSnapshotError, SpaceError, OSError
    ) as error:  # fmt: skip
        context.log("snapshots", f"none before this change: {error}")


def generation(context: Context) -> int:
    """The cluster's, from its record."""
    content, _ = context.cloud.get(Keys(context.machine.uid).record)
    return Record.model_validate_json(content).generation


@contextmanager
def scratch(context: Context, size: float) -> Iterator[Path]:
    """A folder of its own for `size` bytes, away afterwards.

    Raises:
        SpaceError: the disk has less than that, and a reserve.
    """
    base = context.paths.state / "snapshots"
    base.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(base).free
    if free < size + RESERVE_BYTES:
        raise SpaceError(
            f"{base}: {free} bytes are free; a snapshot takes {size:.0f} and {RESERVE_BYTES} stay in reserve"
        )
    with tempfile.TemporaryDirectory(dir=base) as folder:
        yield Path(folder)
