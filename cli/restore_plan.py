"""Which snapshot a restore takes, whether it may, and what it would lose. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cli.refused import RefusedError
from components.node.record import REVISIONS, Record, RestoreOrder
from components.node.restore import Progress
from components.node.snapshots import Metadata, Snapshot

CLOCK_SECONDS: Final = 60.0
"""A snapshot that is younger than now by more than this says that a clock jumped."""


@dataclass(frozen=True)
class Loss:
    """What was acknowledged after a snapshot."""

    revisions: int | None
    """None where no member says at which revision it is."""
    seconds: float

    def __str__(self) -> str:
        span = f"written in the last {self.seconds:.0f} s, since the snapshot was taken"
        if self.revisions is None:
            return f"everything {span}; no member says how many revisions that is"
        return f"{self.revisions} revisions: everything {span}" if self.revisions else "nothing"


def chosen(snapshots: Sequence[Snapshot], name: str | None, at: str | None, now: float) -> Snapshot:
    """The snapshot called `name`, or the newest not after `at`, or the newest.

    Raises:
        RefusedError: there is none; names what there is instead.
    """
    if name is not None and at is not None:
        raise RefusedError("SNAPSHOT and AT are two ways to choose a snapshot: give one")
    if not snapshots:
        raise RefusedError("there is no snapshot to restore")
    if name is not None:
        for one in snapshots:
            if one.name == name:
                return one
        newest = ", ".join(one.name for one in snapshots[-3:])
        raise RefusedError(f"SNAPSHOT={name}: there is no such snapshot; the newest are {newest}")
    if at is None:
        return snapshots[-1]
    moment = instant(at)
    if moment > now:
        raise RefusedError(f"AT={at}: is {moment - now:.0f} s in the future; give a time that has passed")
    before = [one for one in snapshots if one.time <= moment]
    if not before:
        raise RefusedError(f"AT={at}: the oldest snapshot is younger: {snapshots[0].name}")
    return before[-1]


def instant(text: str) -> float:
    """Unix time of an ISO 8601 time with its zone, such as 2026-11-22T19:15:00Z.

    Raises:
        RefusedError: it is none.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise RefusedError(f"AT={text}: expected a time with its zone, such as 2026-11-22T19:15:00Z")
    return moment.timestamp()


def check(snapshot: Snapshot, metadata: Metadata, *, size: int, uids: Sequence[str], etcd: str, now: float) -> None:
    """Whether the snapshot is what it says and can be read here.

    Args:
        snapshot: as its name says.
        metadata: what was written beside it.
        size: bytes that the object store has.
        uids: clusters whose snapshots are accepted.
        etcd: version of the etcd that will read it.
        now: Unix time of this machine.

    Raises:
        RefusedError: it is not; nothing was changed.
    """
    if metadata.uid not in uids:
        raise RefusedError(f"{snapshot.name}: is of cluster {metadata.uid}, not of {' or '.join(uids)}")
    if metadata.bytes != size:
        raise RefusedError(f"{snapshot.name}: {metadata.bytes} bytes were written, the object store has {size}")
    refuse_newer(snapshot.name, metadata.etcd, etcd)
    if snapshot.time > now + CLOCK_SECONDS:
        taken = datetime.fromtimestamp(snapshot.time, UTC)
        raise RefusedError(
            f"{snapshot.name}: was taken at {taken:%F %T}Z, {snapshot.time - now:.0f} s after what this machine takes"
            " for now: a clock jumped; set it right, nothing that is counted by it can be trusted"
        )


def refuse_newer(name: str, written_by: str, etcd: str) -> None:
    """Raise `RefusedError` where a snapshot is of a newer etcd than the one that will read it."""
    if minor(written_by) > minor(etcd):
        raise RefusedError(
            f"{name}: was written by etcd {written_by}, this stack runs {etcd}: restore it with etcd {written_by} or"
            " newer"
        )


def minor(version: str) -> tuple[int, ...]:
    """(3, 7) of 3.7.3: what etcd's storage depends on. Empty where a snapshot does not say: older than 3.6."""
    return tuple(int(part) for part in version.split(".")[:2]) if version else ()


def loss(revision: int, taken: float, newest: int | None, now: float, before: RestoreOrder | None = None) -> Loss:
    """What a restore loses now.

    Args:
        revision: of the snapshot.
        taken: when it was taken, Unix time.
        newest: the newest revision that a member has; None where none answers.
        now: Unix time.
        before: the last restore that was ordered, if there was one.
    """
    return Loss(None if newest is None else lost_revisions(revision, newest, before), max(now - taken, 0.0))


def lost_revisions(revision: int, newest: int, before: RestoreOrder | None) -> int:
    """How many revisions came after a snapshot, without those that restores have left out (`bump`); the arguments are
    those of `loss`.
    """
    if before is None or newest < before.begins_at or revision >= before.begins_at:
        return max(newest - revision, 0)
    # The history that is began with another snapshot of the one that this one is of.
    began_with = before.begins_at - before.bump
    return newest - before.begins_at + max(began_with - revision, 0) % REVISIONS


def refuse_while_another_runs(progress: Progress | None, now: float) -> None:
    """Raise `RefusedError` while an order is being carried out."""
    # One that no majority can carry out is void as soon as a member has looked: nothing was stopped for it.
    if progress is None or progress.finished or progress.is_impossible or progress.order.withdrawn:
        return
    order = progress.order
    raise RefusedError(
        f"a restore of {order.snapshot} was ordered {max(now - order.time, 0):.0f} s ago and runs: {progress.stage()}."
        " It goes on by itself; to order this one instead: SUPERSEDE=1"
    )


def bump(revision: int, order: RestoreOrder | None) -> int:
    """What is added to a snapshot's revision, so that no revision is given twice: a watch that a client goes on with
    would miss what happened at those that it thinks it has seen. Two restores of one snapshot need two bumps.
    """
    return max(order.begins_at - revision if order else 0, 0) + REVISIONS


def next_generation(record: Record, order: RestoreOrder | None) -> int:
    """A generation that no machine has heard of."""
    return max(record.generation, order.generation if order else 0) + 1
