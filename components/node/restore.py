"""A restore as the machines carry it out: what each of them has done, and when the next thing may happen. Pure.

    1. every member fetches and restores the snapshot beside its data           prepared/<member>
       nothing has been stopped yet: a snapshot that is damaged costs nothing
    2. a majority is prepared: masters stop API servers and what writes through them   stopped/<master>
    3. they are stopped: members say where the old history ends, exchange the data     left/<member>
    4. the new generation has a quorum: a member tidies what the snapshot holds        finished
    5. masters start again

All objects are under `clusters/<uid>/restores/<generation>/`. None of them protects data: that is what the marks
`restored/…` and row 1 of the membership table do. They keep the order of things, and tell people how far it is.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from components.node.record import RestoreOrder, Stored

STOP_SECONDS: Final = 30.0
"""How long members wait for masters once a majority is prepared. One that is dead or cut off from the object store
cannot say that it stopped; it cannot do harm either: revisions are bumped, so its caches are void."""


class Preparation(Stored):
    """`prepared/<member>`."""

    error: str = ""
    """Why this member cannot restore that snapshot, whatever it tries; empty when it has."""


class Ended(Stored):
    """`left/<member>`: the end of the old history, as this member has it."""

    revision: int
    """0 where it had no data or etcd did not answer."""


class Finished(Stored):
    """`finished`."""

    member: str


class RestoreKeys:
    """Keys of one restore's objects."""

    def __init__(self, uid: str, generation: int) -> None:
        self.prefix: Final = f"clusters/{uid}/restores/{generation}/"
        self.finished: Final = f"{self.prefix}finished"

    def prepared(self, member: str) -> str:
        """`Preparation`."""
        return f"{self.prefix}prepared/{member}"

    def stopped(self, master: str) -> str:
        """This master's API server is stopped."""
        return f"{self.prefix}stopped/{master}"

    def left(self, member: str) -> str:
        """`Ended`."""
        return f"{self.prefix}left/{member}"


@dataclass(frozen=True)
class Progress:
    """How far a restore is."""

    order: RestoreOrder
    prepared: frozenset[str] = frozenset()
    failed: Mapping[str, str] = field(default_factory=dict)
    """Member → why it cannot."""
    stopped: frozenset[str] = frozenset()
    left: Mapping[str, int] = field(default_factory=dict)
    """Member → revision at which the old history ends for it."""
    finished: bool = False

    @classmethod
    def read(cls, order: RestoreOrder, uid: str, objects: Mapping[str, bytes]) -> Self:
        """From the objects under the restore's prefix: key → content; that of `stopped/…` is not looked at."""
        keys = RestoreKeys(uid, order.generation)
        said = {key.removeprefix(keys.prefix): content for key, content in objects.items()}
        preparations = {
            name: Preparation.model_validate_json(content) for name, content in _below("prepared/", said).items()
        }
        return cls(
            order=order,
            prepared=frozenset(name for name, one in preparations.items() if not one.error),
            failed={name: one.error for name, one in sorted(preparations.items()) if one.error},
            stopped=frozenset(_below("stopped/", said)),
            left={name: Ended.model_validate_json(one).revision for name, one in sorted(_below("left/", said).items())},
            finished="finished" in said,
        )

    @property
    def majority(self) -> int:
        """How many members have to be prepared."""
        return len(self.order.members) // 2 + 1

    @property
    def is_prepared(self) -> bool:
        """Whether enough members have the snapshot to form the new generation: from here on it goes through."""
        return len(self.prepared & self.order.members.keys()) >= self.majority

    @property
    def is_impossible(self) -> bool:
        """Whether so many members cannot restore the snapshot that no majority of the others is left."""
        return len(self.order.members) - len(self.failed.keys() & self.order.members.keys()) < self.majority

    @property
    def running_masters(self) -> tuple[str, ...]:
        """Masters that have not said that they stopped."""
        return tuple(sorted(set(self.order.masters) - self.stopped))

    @property
    def ended_at(self) -> int | None:
        """The last revision of the old history; None where nobody could tell."""
        return max(self.left.values(), default=0) or None

    def stage(self) -> str:
        """What is being waited for, in words."""
        if self.finished:
            return "finished"
        if self.is_impossible:
            return "impossible: " + "; ".join(f"{name}: {error}" for name, error in self.failed.items())
        if not self.is_prepared:
            missing = sorted(self.order.members.keys() - self.prepared)
            return (
                f"{len(self.prepared)} of {self.majority} members have the snapshot, waiting for {', '.join(missing)}"
            )
        if self.running_masters and not self.left:
            return f"stopping the control plane of {', '.join(self.running_masters)}"
        return f"{len(self.left)} of {self.majority} members have left the old history; the new one has no quorum yet"


def _below(folder: str, said: Mapping[str, bytes]) -> dict[str, bytes]:
    return {name.removeprefix(folder): content for name, content in said.items() if name.startswith(folder)}


def masters(presences: Iterable[Mapping[str, str]]) -> tuple[str, ...]:
    """Names of the masters among what machines said about themselves (`machines/<machine>.json`)."""
    return tuple(sorted(one["machine"] for one in presences if one.get("role") == "master"))
