"""What clients felt, from records and the times of faults alone."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby, pairwise
from math import ceil
from typing import Final

from drills.record import Record

ENDPOINT: Final = "endpoint"
"""How records name the load balancers' address, which clients use."""


OPEN_SECONDS: Final = 1.0
"""For longer no client waits that has a timeout."""


class MarkKind(StrEnum):
    """What happened to the cluster."""

    FAULT = "fault"
    HEAL = "heal"


@dataclass(frozen=True)
class Mark:
    """A moment at which the drill did something to the cluster; each starts a window of its own."""

    at: float
    """Monotonic seconds, just before the injection was called: nothing that the fault caused is earlier."""
    done: float
    """When the call returned."""
    kind: MarkKind
    label: str


@dataclass(frozen=True)
class Window:
    """What one stream felt between a mark and the next one."""

    requests: int
    failed: int
    in_a_row: int
    """Most requests in a row that failed: a client that retries once feels two."""
    longest_gap: float
    """Seconds between two consecutive acknowledgements, at its longest; it may reach over the window's edges."""
    last_failure: float
    """Seconds after the mark at which the last request that failed was to be sent; 0 when none failed."""
    in_flight: float
    """Longest time that a request open at the mark took to end, in seconds; 0 when none was open."""
    in_flight_failed: int
    p50: float
    p99: float
    slowest: float
    """Latencies of acknowledged requests from the intended send, in seconds; 0 when none was acknowledged."""

    @property
    def share_failed(self) -> float:
        """Between 0 and 1."""
        return self.failed / self.requests if self.requests else 0.0


@dataclass(frozen=True)
class Baseline:
    """What a stream did before the first mark."""

    intended_rate: float
    achieved_rate: float
    """Requests a second: intended, and acknowledged."""
    p50: float
    p99: float


@dataclass(frozen=True)
class Felt:
    """Everything that one stream felt in one drill."""

    stream: str
    baseline: Baseline
    windows: tuple[Window, ...]
    """One per mark, in order."""


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile, a value that was measured; 0 for no values."""
    return sorted(values)[max(0, ceil(share * len(values)) - 1)] if values else 0.0


def longest_gap(acknowledged: Sequence[float], begin: float, end: float, horizon: float) -> float:
    """The longest time without an acknowledgement that touches [begin, end], in seconds.

    `acknowledged` are sorted ends of acknowledged requests. Before the first of them nothing is known, so a gap that
    has no acknowledgement before it starts at `begin`; one that has none after it lasts until `horizon`, when the
    records end.
    """
    inside = acknowledged[bisect_right(acknowledged, begin) : bisect_left(acknowledged, end)]
    before = acknowledged[: bisect_right(acknowledged, begin)][-1:] or [begin]
    after = acknowledged[bisect_left(acknowledged, end) :][:1] or [max(end, horizon)]
    points = [*before, *inside, *after]
    return max(later - earlier for earlier, later in pairwise(points))


def felt(records: Iterable[Record], marks: Sequence[Mark], end: float) -> list[Felt]:
    """What each stream felt, sorted by name; `end` is when the last window ends.

    Raises:
        ValueError: no mark, or marks out of order.
    """
    if not marks or any(later.at < earlier.at for earlier, later in pairwise(marks)):
        raise ValueError(f"marks must be one or more, in order of time; got {[mark.at for mark in marks]}")
    streams: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        streams[record.stream].append(record)
    return [_stream(name, found, marks, end) for name, found in sorted(streams.items())]


def _stream(name: str, records: Sequence[Record], marks: Sequence[Mark], end: float) -> Felt:
    acknowledged = sorted(record.end for record in records if record.acknowledged)
    ends = [mark.at for mark in marks[1:]] + [end]
    windows = tuple(_window(records, acknowledged, mark.at, until) for mark, until in zip(marks, ends, strict=True))
    return Felt(name, _baseline(records, marks[0].at), windows)


def _window(records: Sequence[Record], acknowledged: Sequence[float], begin: float, end: float) -> Window:
    inside = [record for record in records if begin <= record.intended < end]
    failures = [record.intended - begin for record in inside if not record.acknowledged]
    open_at_mark = [record for record in records if record.intended < begin <= record.end]
    latencies = _latencies(inside)
    return Window(
        requests=len(inside),
        failed=len(failures),
        in_a_row=_in_a_row(inside),
        longest_gap=longest_gap(acknowledged, begin, end, max((record.end for record in records), default=end)),
        last_failure=max(failures, default=0.0),
        in_flight=max((record.end - record.intended for record in open_at_mark), default=0.0),
        in_flight_failed=sum(not record.acknowledged for record in open_at_mark),
        p50=percentile(latencies, 0.5),
        p99=percentile(latencies, 0.99),
        slowest=max(latencies, default=0.0),
    )


def _in_a_row(records: Iterable[Record]) -> int:
    ordered = sorted(records, key=lambda record: record.intended)
    return max((len(list(run)) for good, run in groupby(ordered, lambda one: one.acknowledged) if not good), default=0)


def _baseline(records: Sequence[Record], until: float) -> Baseline:
    # What was open at the mark may have failed because of it; what had been open for long had failed already.
    before = [one for one in records if one.end < until or one.intended < until - OPEN_SECONDS]
    if not before:
        return Baseline(0.0, 0.0, 0.0, 0.0)
    seconds = until - min(record.intended for record in before)
    latencies = _latencies(before)
    return Baseline(
        len(before) / seconds, len(latencies) / seconds, percentile(latencies, 0.5), percentile(latencies, 0.99)
    )


def _latencies(records: Iterable[Record]) -> list[float]:
    return [record.end - record.intended for record in records if record.acknowledged]


def rates(found: Iterable[Felt]) -> Mapping[str, float]:
    """Achieved share of the intended rate before the first mark, per stream."""
    return {
        one.stream: one.baseline.achieved_rate / one.baseline.intended_rate if one.baseline.intended_rate else 0.0
        for one in found
    }
