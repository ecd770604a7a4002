"""Is a history of a register linearizable? The search of Wing and Gong with the memoisation of Lowe, as in porcupine.

A register is written with values that are unique in the history and is read; it starts out as `None`. A write whose
outcome is unknown may have happened at any time since it was sent, or never.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf

from drills.record import Operation, Outcome, Record


@dataclass(frozen=True, slots=True)
class Event:
    """An operation on one register: it took effect at one moment between `start` and `end`."""

    start: float
    end: float
    """`inf` for a write that may take effect at any later time, or never."""
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


def linearizable(history: Iterable[Event]) -> bool:
    """Whether there is one order of the operations that respects real time and in which every read is right."""
    events = sorted(_bounded(history), key=lambda event: event.start)
    # Linear time is typical: the search only branches among operations that overlap.
    return _search(events)


def _bounded(history: Iterable[Event]) -> list[Event]:
    """The history with unknown writes bounded by what was seen, which keeps the search small and changes no verdict.

    A write of unknown outcome that nobody read may be left out of any order. One that was read took effect before the
    first read that saw it ended.
    """
    events = list(history)
    seen: dict[int | None, float] = {}
    for event in events:
        if not event.write:
            seen[event.value] = min(event.end, seen.get(event.value, inf))
    return [
        replace(event, end=seen.get(event.value, inf)) if event.write and event.end == inf else event
        for event in events
        if not event.write or event.end < inf or event.value in seen
    ]


def _search(events: Sequence[Event]) -> bool:
    """Depth-first over which operation takes effect next; a state that failed once is not entered again.

    A state is the index of the first operation not yet ordered, the set of later ones that are, and the register's
    value: operations are sorted by start, so that set stays as small as the history is concurrent.
    """
    failed: set[tuple[int, frozenset[int], int | None]] = set()
    stack: list[tuple[int, frozenset[int], int | None]] = [(0, frozenset(), None)]
    while stack:
        state = stack.pop()
        if state in failed:
            continue
        failed.add(state)
        first, done, value = state
        if first == len(events):
            return True
        stack.extend(_after(events, first, done, value, index) for index in _next(events, first, done, value))
    return False


def _next(events: Sequence[Event], first: int, done: frozenset[int], value: int | None) -> list[int]:
    """Operations that may take effect now: started before every other open one ended, and right for the value."""
    candidates: list[int] = []
    earliest_end = inf
    for index in range(first, len(events)):
        if index in done:
            continue
        # Sorted by start: whatever comes after this one starts too late as well.
        if events[index].start > earliest_end:
            break
        earliest_end = min(earliest_end, events[index].end)
        candidates.append(index)
    reads = [index for index in candidates if not events[index].write and events[index].value == value]
    # A read that is right now changes nothing, so taking it first loses no order.
    return reads[:1] or [index for index in candidates if events[index].write]


def _after(
    events: Sequence[Event], first: int, done: frozenset[int], value: int | None, index: int
) -> tuple[int, frozenset[int], int | None]:
    """The state after the operation at `index` took effect."""
    ordered = done | {index}
    while first in ordered:
        ordered -= {first}
        first += 1
    return first, ordered, events[index].value if events[index].write else value
