"""Is a history of a register linearizable? Decided by zones, after Gibbons and Korach ("Testing Shared Memories").

A register is written with values that are unique in the history and is read; it starts out as `None`. A write whose
outcome is unknown may have happened at any time since it was sent, or never. Because values are unique, each read says
which write it saw, and the answer takes sorting only, where a search over all orders, as Wing and Gong's, takes time
exponential in what overlaps: an outage makes hundreds of writes overlap.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf

from drills.record import Operation, Outcome, Record


@dataclass(frozen=True, slots=True)
class Event:
    """An operation on one register: it took effect at one moment between `start` and `end`."""

    start: float
    end: float
    """`inf` for a write that may take effect at any later time; never is as good as later than all reads."""
    value: int | None
    write: bool


def histories(records: Iterable[Record]) -> Mapping[str, Sequence[Event]]:
    """One history per register, of what acknowledged reads saw and of writes that did or may have happened."""
    found: dict[str, list[Event]] = defaultdict(list)
    for record in records:
        if record.operation is Operation.CREATE or record.sent is None:
            continue
        if record.acknowledged:
            event = Event(record.sent, record.end, record.value, record.operation is Operation.WRITE)
        elif record.operation is Operation.WRITE and record.outcome is not Outcome.REFUSED:
            event = Event(record.sent, inf, record.value, write=True)
        else:
            continue
        found[record.key].append(event)
    return found


@dataclass(frozen=True, slots=True)
class Zone:
    """When the register had a value, as far as the operations on that value tell."""

    first_end: float
    """By then the value was written: an operation on it ended."""
    last_start: float
    """Still then the value was there: an operation on it started."""

    @property
    def forward(self) -> bool:
        """Whether the value was there from `first_end` to `last_start` for sure; else for one moment between them."""
        return self.first_end < self.last_start


def linearizable(history: Iterable[Event]) -> bool:
    """Whether there is one order of the operations that respects real time and in which every read is right."""
    values: dict[int | None, list[Event]] = defaultdict(list)
    for event in history:
        values[event.value].append(event)
    values[None].append(Event(-inf, -inf, None, write=True))
    zones = []
    for events in values.values():
        writes = [event for event in events if event.write]
        reads = [event for event in events if not event.write]
        if not writes or any(read.end < writes[0].start for read in reads):
            return False
        zones.append(Zone(min(event.end for event in events), max(event.start for event in events)))
    return _compatible(zones)


def _compatible(zones: Iterable[Zone]) -> bool:
    """Whether no two values had to be there at the same time."""
    found = list(zones)
    forward = sorted((zone for zone in found if zone.forward), key=lambda zone: zone.first_end)
    if any(later.first_end < earlier.last_start for earlier, later in pairwise(forward)):
        return False
    begins = [zone.first_end for zone in forward]
    for zone in found:
        before = bisect_left(begins, zone.last_start)
        # The moment of this value lies between its last start and its first end: is there room beside the others?
        if not zone.forward and before and zone.first_end < forward[before - 1].last_start:
            return False
    return True
