"""How long requests took, against the promise of a 99th percentile: over the fault, and over the promise's own window.

A fault of 0.6 s in a drill of 30 s holds 2 % of its requests, so that the drill's own 99th percentile lies inside the
fault, however short it was. Kubernetes defines its indicator over five minutes: "latency of mutating API calls for
single objects for every (resource, verb) pair, measured as 99th percentile over last 5 minutes" (kubernetes/community,
sig-scalability/slos/slos.md, details in slos/api_call_latency.md). Over such a window the promise allows that one
request in a hundred is slow; what is said of a fault is which part of that allowance it used. We are stricter in two
ways: latencies count at the client, from the intended send; and what was not acknowledged was slow. Pure.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from drills.record import Record
from drills.verdict import ENDPOINT, percentile

PROMISED_SECONDS: Final = 0.5
"""What 99 of 100 requests must not exceed: half of Kubernetes' own limit for requests of one object."""
WINDOW_SECONDS: Final = 300.0
"""Of Kubernetes' indicator."""
ALLOWED_SHARE: Final = 0.01
"""What a 99th percentile leaves."""


@dataclass(frozen=True)
class Latency:
    """How one operation did through the endpoint, whatever the client."""

    p99: float
    """99th percentile of what was acknowledged from the first mark to the end of the drill, in seconds: of a short
    drill it lies inside the fault."""
    slow: int
    """Requests that took longer than promised or were not acknowledged, in the worst five minutes of the drill."""
    allowed: float
    """How many of them the promise allows in five minutes at the rate at which they were sent."""

    @property
    def used(self) -> float:
        """Share of the five minutes' allowance that was used; the promise holds up to 1.

        Of a drill that was shorter, the rest of the five minutes is taken to be without a slow request.
        """
        return self.slow / self.allowed


def latencies(records: Iterable[Record], first_mark: float) -> Mapping[str, Latency]:
    """Latencies through the endpoint by operation; `first_mark` is when the harm began, in monotonic seconds."""
    found: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        if record.via == ENDPOINT:
            found[record.operation].append(record)
    return {operation: _latency(asked, first_mark) for operation, asked in sorted(found.items())}


def worst_window(times: Sequence[float]) -> int:
    """Most of these sorted times that any five minutes hold."""
    return max((bisect_left(times, begin + WINDOW_SECONDS) - index for index, begin in enumerate(times)), default=0)


def _latency(records: Sequence[Record], first_mark: float) -> Latency:
    after = [one.end - one.intended for one in records if one.acknowledged and one.intended >= first_mark]
    slow = sorted(one.intended for one in records if not one.acknowledged or one.end - one.intended > PROMISED_SECONDS)
    intended = [record.intended for record in records]
    seconds = max(intended) - min(intended)
    rate = len(records) / seconds if seconds else 1.0
    return Latency(percentile(after, 0.99), worst_window(slow), ALLOWED_SHARE * WINDOW_SECONDS * rate)
