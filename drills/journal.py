"""The journal: what was acknowledged must be there afterwards, in every member."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from drills.record import Operation, Record


@dataclass(frozen=True)
class Durability:
    """What was found when the journal was read back."""

    acknowledged: int
    """Entries that the API acknowledged."""
    lost: Mapping[str, tuple[str, ...]]
    """Per member, acknowledged entries that it does not have; members that lack none are left out."""
    hashes: Mapping[str, int]
    """HashKV of each member at one common revision."""

    @property
    def whole(self) -> bool:
        """Whether nothing is lost and all members hold the same."""
        return not self.lost and len(set(self.hashes.values())) <= 1


def acknowledged(records: Iterable[Record]) -> frozenset[str]:
    """Names of the journal's entries that were acknowledged."""
    return frozenset(record.key for record in records if record.operation is Operation.CREATE and record.acknowledged)


def compare(entries: frozenset[str], held: Mapping[str, frozenset[str]], hashes: Mapping[str, int]) -> Durability:
    """What the members hold against what was acknowledged."""
    lost = {member: tuple(sorted(entries - names)) for member, names in held.items()}
    return Durability(len(entries), {member: names for member, names in lost.items() if names}, hashes)
