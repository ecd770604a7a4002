"""Records as what can be drawn: runs of equal availability, and latencies over time. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from drills.record import Record
from drills.verdict import percentile

AVAILABILITY_SECONDS: Final = 0.2
"""Resolution of availability: two requests of the densest streams."""
LATENCY_SECONDS: Final = 0.5


class Availability(StrEnum):
    """What became of the requests that were to be sent in a stretch of time."""

    ALL = "all"
    SOME = "some"
    NONE = "none"


@dataclass(frozen=True)
class Stretch:
    """A stretch of time of one availability, in monotonic seconds."""

    begin: float
    end: float
    availability: Availability


@dataclass(frozen=True)
class Latency:
    """Latencies of acknowledged requests that were to be sent in `LATENCY_SECONDS` from `at` on, in seconds."""

    at: float
    p50: float
    p99: float


def availability(records: Sequence[Record], start: float, end: float) -> list[Stretch]:
    """Stretches between `start` and `end`; neighbours differ, and where nothing was to be sent there is none."""
    buckets: dict[int, list[bool]] = defaultdict(list)
    for record in records:
        if start <= record.intended < end:
            buckets[int((record.intended - start) / AVAILABILITY_SECONDS)].append(record.acknowledged)
    # A stream that asks less often than once a bucket is not unavailable in between: its last answer holds on.
    reach = max(1, round((end - start) / AVAILABILITY_SECONDS / max(1, len(buckets))))
    stretches: list[Stretch] = []
    for bucket, answers in sorted(buckets.items()):
        share = sum(answers) / len(answers)
        kind = Availability.ALL if share == 1 else Availability.SOME if share else Availability.NONE
        begin = start + bucket * AVAILABILITY_SECONDS
        until = min(end, begin + reach * AVAILABILITY_SECONDS)
        if stretches and stretches[-1].end >= begin - 1e-9:
            last = stretches.pop()
            if last.availability is kind:
                stretches.append(Stretch(last.begin, until, kind))
                continue
            stretches.append(Stretch(last.begin, begin, last.availability))
        stretches.append(Stretch(begin, until, kind))
    return stretches


def latencies(records: Sequence[Record], start: float, end: float) -> list[Latency]:
    """Percentiles over time; times without an acknowledged request are left out."""
    buckets: dict[int, list[float]] = defaultdict(list)
    for record in records:
        if record.acknowledged and start <= record.intended < end:
            buckets[int((record.intended - start) / LATENCY_SECONDS)].append(record.end - record.intended)
    return [
        Latency(start + bucket * LATENCY_SECONDS, percentile(found, 0.5), percentile(found, 0.99))
        for bucket, found in sorted(buckets.items())
    ]
