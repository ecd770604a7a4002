"""etcd's snapshots in the object store: how they are named, what is known of each, when one is due, which are kept.

clusters/<uid>/snapshots/<time>-<revision>/snapshot.db      as `etcdctl snapshot save` writes it
clusters/<uid>/snapshots/<time>-<revision>/metadata.json    written last: without it there is no snapshot
clusters/<uid>/snapshots/<time>-<revision>/proof.json       what the last restore drill of it found
clusters/<uid>/snapshots/lock.json                          held by whoever takes one
clusters/<uid>/brought/<sha256>.db                          another cluster's, for a restore
clusters/<uid>/requests/<kind>.json, <kind>-answer.json     a person asks, a machine answers
clusters/<uid>/keys/<month>/<fingerprint>.wrapped           the keys that reading a snapshot takes
clusters/<uid>/inventory/<day>/<file>.yaml                  what a person wants to see, diffable from day to day
clusters/<uid>/clocks/<machine>                             written to learn what time it is by the store

Times are the object store's: a machine whose clock is wrong dates, locks and deletes nothing by it.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, Self

from components.node.machine import Retention
from components.node.record import Stored

TIME_FORMAT: Final = "%Y%m%dT%H%M%SZ"
_NAME: Final = re.compile(r"(?P<time>[0-9]{8}T[0-9]{6}Z)-(?P<revision>[0-9]+)")

LEFTOVER_SECONDS: Final = 6 * 3600.0
"""An upload without metadata that is older than this has no machine behind it any more."""


class Reason(StrEnum):
    """Why a snapshot was taken."""

    SCHEDULE = "schedule"
    REQUEST = "request"
    CHANGE = "change"
    """Before a membership change, or before this machine's replacement."""


class Metadata(Stored):
    """`metadata.json`."""

    uid: str
    """The cluster that it is of."""
    generation: int
    time: float
    """Unix time."""
    revision: int
    keys: int
    """Key-value pairs in it, all revisions."""
    bytes: int
    sha256: str
    etcd: str
    """Version of etcd's storage: an older etcd cannot read it."""
    kubernetes: str
    member: str
    reason: Reason
    retain_until: float = 0
    """Unix time until which the store refuses to delete it; 0 where it is not locked."""


class Proof(Stored):
    """`proof.json`: whether the snapshot was restored and read."""

    time: float
    """Unix time."""
    machine: str
    proven: bool
    message: str
    """What was compared, or what is wrong, in words."""
    seconds: float


class RequestKind(StrEnum):
    """What a person may ask the machines for."""

    SNAPSHOT = "snapshot"
    DRILL = "drill"


class Request(Stored):
    """`requests/<kind>.json`."""

    id: str
    """Random: the answer bears it."""
    snapshot: str | None = None
    """Of a drill: which one, else the newest."""


class Response(Stored):
    """`requests/<kind>-answer.json`."""

    id: str
    snapshot: str | None = None
    """Name of the snapshot that was taken, or drilled."""
    error: str | None = None


@dataclass(frozen=True, order=True)
class Snapshot:
    """A snapshot as a listing tells it."""

    time: int
    """Unix time, whole seconds."""
    revision: int
    retain_until: float = 0
    """As `Metadata`; a listing does not tell it."""

    @property
    def name(self) -> str:
        """Unique in a cluster, and in order of time."""
        return f"{datetime.fromtimestamp(self.time, UTC).strftime(TIME_FORMAT)}-{self.revision}"

    @classmethod
    def parse(cls, name: str) -> Self | None:
        """The snapshot of this name; None for what is no name of one."""
        if (match := _NAME.fullmatch(name)) is None:
            return None
        try:
            time = datetime.strptime(match["time"], TIME_FORMAT).replace(tzinfo=UTC)
        except ValueError:
            return None
        return cls(int(time.timestamp()), int(match["revision"]))


class SnapshotKeys:
    """Keys of one cluster's snapshots and of what belongs to them."""

    def __init__(self, uid: str) -> None:
        self._cluster = f"clusters/{uid}"
        self.prefix: Final = f"{self._cluster}/snapshots/"
        self.inventories: Final = f"{self._cluster}/inventory/"
        self.recovery: Final = f"{self._cluster}/keys/"
        self.lock: Final = f"{self.prefix}lock.json"
        self.drill_lock: Final = f"{self.prefix}drill-lock.json"

    def database(self, name: str) -> str:
        """What `etcdutl snapshot restore` takes."""
        return f"{self.prefix}{name}/snapshot.db"

    def metadata(self, name: str) -> str:
        """`Metadata`."""
        return f"{self.prefix}{name}/metadata.json"

    def proof(self, name: str) -> str:
        """`Proof`."""
        return f"{self.prefix}{name}/proof.json"

    def brought(self, sha256: str) -> str:
        """A snapshot that somebody brought: nobody thins it while members restore it."""
        return f"{self._cluster}/brought/{sha256}.db"

    def request(self, kind: RequestKind) -> str:
        """`Request`."""
        return f"{self._cluster}/requests/{kind}.json"

    def response(self, kind: RequestKind) -> str:
        """`Response`."""
        return f"{self._cluster}/requests/{kind}-answer.json"

    def clock(self, machine: str) -> str:
        """What it holds says nothing; when it was written is what counts."""
        return f"{self._cluster}/clocks/{machine}"

    def inventory(self, day: str, file: str) -> str:
        """A file of the cluster's inventory of a day such as 2026-11-22."""
        return f"{self.inventories}{day}/{file}.yaml"

    def recovery_keys(self, month: str, fingerprint: str) -> str:
        """Keys without which a snapshot cannot be read, wrapped by the cloud: one object per version of them and month
        such as 2026-11, so that each can be locked for as long as the snapshots of that month are.
        """
        return f"{self.recovery}{month}/{fingerprint}.wrapped"


@dataclass(frozen=True)
class Catalogue:
    """What is under a cluster's `snapshots/`."""

    snapshots: tuple[Snapshot, ...]
    """Complete ones, oldest first."""
    sizes: Mapping[str, int]
    """Name → bytes."""
    proofs: frozenset[str]
    """Names of those that have a proof."""
    leftovers: tuple[str, ...]
    """Names of uploads that never became a snapshot."""

    @property
    def newest(self) -> Snapshot | None:
        """The newest snapshot."""
        return self.snapshots[-1] if self.snapshots else None


def catalogue(listing: Mapping[str, int], uid: str) -> Catalogue:
    """Read a listing of `SnapshotKeys(uid).prefix`: key → bytes."""
    prefix = SnapshotKeys(uid).prefix
    files: dict[Snapshot, dict[str, int]] = {}
    for key, size in listing.items():
        name, _, file = key.removeprefix(prefix).partition("/")
        if (snapshot := Snapshot.parse(name)) is not None:
            files.setdefault(snapshot, {})[file] = size
    complete = {snapshot for snapshot, found in files.items() if {"snapshot.db", "metadata.json"} <= found.keys()}
    return Catalogue(
        snapshots=tuple(sorted(complete)),
        sizes={snapshot.name: files[snapshot]["snapshot.db"] for snapshot in complete},
        proofs=frozenset(snapshot.name for snapshot in complete if "proof.json" in files[snapshot]),
        leftovers=tuple(snapshot.name for snapshot in sorted(files.keys() - complete)),
    )


def due(newest: Snapshot | None, interval: float, now: float) -> bool:
    """Whether it is time for the next one. One from the future says that a clock is wrong, not that all is well."""
    return newest is None or abs(now - newest.time) >= interval


def surplus(snapshots: Collection[Snapshot], keep: Sequence[Retention], now: float) -> list[Snapshot]:
    """Which snapshots may be deleted, oldest first.

    Kept are the newest, all that are younger than the first tier keeps (what a person asked for lives as long as
    what was scheduled), of every later tier the oldest of each slot of its pace while it is young enough, and what
    is locked.
    """
    kept = {max(snapshots)} if snapshots else set()
    kept |= {one for one in snapshots if one.retain_until > now}
    for index, tier in enumerate(keep):
        young = [one for one in snapshots if now - one.time < tier.for_seconds]
        kept |= set(young) if index == 0 else first_of_slots(snapshots, tier).intersection(young)
    return sorted(set(snapshots) - kept)


def first_of_slots(snapshots: Iterable[Snapshot], tier: Retention) -> set[Snapshot]:
    """The oldest snapshot of each slot of a tier's pace: one that later ones do not push out."""
    first: dict[int, Snapshot] = {}
    for one in sorted(snapshots, reverse=True):
        first[one.time // tier.every_seconds] = one
    return set(first.values())


def life_seconds(new: Snapshot, others: Iterable[Snapshot], keep: Sequence[Retention]) -> float:
    """How long `surplus` will keep a snapshot that is taken now beside `others`, seconds."""
    present = {*others, new}
    lives = [tier.for_seconds for index, tier in enumerate(keep) if index == 0 or new in first_of_slots(present, tier)]
    return float(max(lives, default=0))


def drill_due(proofs: Collection[float], snapshots: Sequence[Snapshot], every: float, first: float, now: float) -> bool:
    """Whether it is time for a restore drill.

    Args:
        proofs: times of the drills that are known.
        snapshots: those that could be drilled.
        every: seconds between two drills.
        first: seconds from the first snapshot to the first drill.
        now: Unix time.
    """
    if not snapshots:
        return False
    if not proofs:
        return now - min(snapshots).time >= first
    return abs(now - max(proofs)) >= every
