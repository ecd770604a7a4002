"""How quickly API servers answered by their own histogram: the share of requests within a bucket that exists. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

METRIC: Final = "apiserver_request_duration_seconds"
BUCKET_SECONDS: Final = 0.4
"""The largest bucket below the promised 0.5 s, for which there is none."""
LONG_RUNNING: Final = frozenset({"WATCH", "WATCHLIST", "CONNECT", "PROXY"})
"""Verbs whose requests last as long as their clients like."""
STARTED: Final = "process_start_time_seconds"


@dataclass(frozen=True)
class Counts:
    """What an API server has counted since it started."""

    started: float = 0.0
    """When that was, in seconds of Unix time: another value is another process, which counts from 0."""
    requests: Mapping[str, int] = field(default_factory=dict)
    quick: Mapping[str, int] = field(default_factory=dict)
    """Per verb: all, and those that took no longer than the bucket."""


@dataclass(frozen=True)
class Served:
    """Requests of one verb during a drill, at all API servers."""

    verb: str
    requests: int
    quick: int

    @property
    def share(self) -> float:
        """Share of the requests that were quick."""
        return self.quick / self.requests if self.requests else 1.0


def counts(metrics: str) -> Counts:
    """What is in an API server's metrics page."""
    requests: Counter[str] = Counter()
    quick: Counter[str] = Counter()
    started = 0.0
    for line in metrics.splitlines():
        if line.startswith(STARTED):
            started = float(line.rsplit(" ", 1)[1])
        elif line.startswith(METRIC + "_count{"):
            _add(requests, line)
        elif line.startswith(METRIC + "_bucket{") and f'le="{BUCKET_SECONDS:g}"' in line:
            _add(quick, line)
    return Counts(started, dict(requests), dict(quick))


def served(before: Mapping[str, Counts], after: Mapping[str, Counts]) -> tuple[Served, ...]:
    """What was served between the two, by verb. What a process that ended had counted since the first is not known."""
    requests: Counter[str] = Counter()
    quick: Counter[str] = Counter()
    for name, now in after.items():
        then = before.get(name, Counts())
        same = then.started == now.started
        for total, found, earlier in ((requests, now.requests, then.requests), (quick, now.quick, then.quick)):
            for verb, count in found.items():
                total[verb] += count - (earlier.get(verb, 0) if same else 0)
    return tuple(Served(verb, requests[verb], quick[verb]) for verb in sorted(requests) if requests[verb])


def merged(runs: Iterable[Iterable[Served]]) -> tuple[Served, ...]:
    """The sum over runs, by verb."""
    requests: Counter[str] = Counter()
    quick: Counter[str] = Counter()
    for one in (one for run in runs for one in run):
        requests[one.verb] += one.requests
        quick[one.verb] += one.quick
    return tuple(Served(verb, requests[verb], quick[verb]) for verb in sorted(requests))


def _add(total: Counter[str], line: str) -> None:
    verb = line.split('verb="', 1)[1].split('"', 1)[0]
    if verb not in LONG_RUNNING:
        total[verb] += int(float(line.rsplit(" ", 1)[1]))
