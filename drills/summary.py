"""Numbers of a fault over its repeats, as both the page and the terminal show them. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from statistics import median

from drills.fault import Fault
from drills.judge import Finding, Run, Verdict, is_void, judge, label, worst
from drills.record import Connection, Operation
from drills.server_latency import Served, merged
from drills.thresholds import Floor
from drills.verdict import MarkKind, Window, percentile


@dataclass(frozen=True)
class Spread:
    """Min, median, 95th percentile and max of a number over repeats."""

    low: float
    middle: float
    p95: float
    high: float

    def __str__(self) -> str:
        # As the time of the last failure it would read as one at once.
        if self.high == 0:
            return "none"
        if self.low == self.high:
            return f"{self.low:.2f}"
        return f"{self.low:.2f} / {self.middle:.2f} / {self.p95:.2f} / {self.high:.2f}"


def spread(values: Sequence[float]) -> Spread:
    """The spread of one or more values."""
    return Spread(min(values), median(values), percentile(values, 0.95), max(values))


@dataclass(frozen=True)
class Client:
    """What one kind of client of the endpoint felt after a mark, over all repeats. Times are seconds."""

    connection: str
    operation: str
    failed: float
    """Share of its requests, between 0 and 1."""
    in_a_row: int
    """Most requests that failed one after another."""
    last_failure: Spread
    longest_gap: Spread
    """Between acknowledged requests."""
    in_flight: Spread
    """How long the slowest request took to end that was open at the mark."""


@dataclass(frozen=True)
class Row:
    """A mark of a fault (the fault itself, a heal), over all repeats. Times are seconds."""

    kind: MarkKind
    label: str
    last_failure: Spread
    """Of new requests through the endpoint, writes and reads, after the mark."""
    failing: int
    """Runs in which one of these failed."""
    longest_gap: Spread
    """Between acknowledged writes of new connections through the endpoint."""
    failed: tuple[tuple[str, float], ...]
    """Per kind of client of the endpoint: share of its requests that failed, over all repeats."""
    clients: tuple[Client, ...]


@dataclass(frozen=True)
class Summary:
    """A fault over all its repeats."""

    fault: Fault
    runs: int
    """Those that say something; times, shares and percentiles are theirs, where there are any."""
    void: int
    verdict: Verdict
    findings: tuple[Finding, ...]
    rows: tuple[Row, ...]
    acknowledged: int
    lost: int
    latency: tuple[tuple[str, Spread, Spread], ...]
    """Per operation: 99th percentiles of the runs from the fault to the end of the drill, in seconds; and shares that
    were used of what the promise allows in five minutes."""
    used: Spread
    """Of each run, the share of what the promise allows in five minutes that its worst operation used."""
    served: tuple[Served, ...]
    """By verb, what API servers answered in all runs."""
    redundancy: Spread | None
    """Seconds from the last mark until nothing was missing; None when a run never came to that."""

    @property
    def p99(self) -> float:
        """Seconds: the 99th percentile of the worst operation in the worst run."""
        return max((seconds.high for _, seconds, _ in self.latency), default=0.0)


def summarize(fault: Fault, runs: Sequence[Run], floor: Floor | None) -> Summary:
    """The summary of one or more runs of a fault."""
    findings = judge(fault, runs, floor)
    sound = [run for run in runs if not is_void(run)]
    said = sound or runs
    times = [run.redundancy_seconds for run in said if run.redundancy_seconds is not None]
    return Summary(
        fault=fault,
        runs=len(sound),
        void=len(runs) - len(sound),
        verdict=worst([one for one in findings if not (sound and one.verdict is Verdict.VOID)]),
        findings=tuple(sorted(findings, key=lambda one: list(Verdict).index(one.verdict), reverse=True)),
        rows=tuple(_row(said, index) for index in range(len(said[0].marks))),
        acknowledged=sum(run.durability.acknowledged for run in runs),
        lost=sum(len(set().union(*run.durability.lost.values())) for run in runs),
        latency=tuple(_latency(said)),
        used=spread([max((one.used for one in run.latency.values()), default=0.0) for run in said]),
        served=merged(run.served for run in said),
        redundancy=spread(times) if len(times) == len(said) else None,
    )


def counted(summary: Summary) -> str:
    """How many runs there are, as people say it."""
    return f"{summary.runs} and {summary.void} void" if summary.void else str(summary.runs)


def _latency(runs: Sequence[Run]) -> Iterator[tuple[str, Spread, Spread]]:
    for operation in Operation:
        found = [run.latency[operation] for run in runs if operation in run.latency]
        if found:
            yield operation, spread([one.p99 for one in found]), spread([one.used for one in found])


def _row(runs: Sequence[Run], index: int) -> Row:
    writes = [run.windows("endpoint", "new", "create")[index] for run in runs]
    reads = [run.windows("endpoint", "new", "read")[index] for run in runs]
    last = [max(write.last_failure, read.last_failure) for write, read in zip(writes, reads, strict=True)]
    return Row(
        kind=runs[0].marks[index].kind,
        label=label(runs, index),
        last_failure=spread(last),
        failing=sum(seconds > 0 for seconds in last),
        longest_gap=spread([window.longest_gap for window in writes]),
        failed=tuple((kind, _share(_windows(runs, index, f"endpoint/{kind}/"))) for kind in Connection),
        clients=tuple(_clients(runs, index)),
    )


def _clients(runs: Sequence[Run], index: int) -> Iterator[Client]:
    for kind, operation in product(Connection, Operation):
        if windows := _windows(runs, index, f"endpoint/{kind}/{operation}"):
            yield Client(
                connection=kind,
                operation=operation,
                failed=_share(windows),
                in_a_row=max(window.in_a_row for window in windows),
                last_failure=spread([window.last_failure for window in windows]),
                longest_gap=spread([window.longest_gap for window in windows]),
                in_flight=spread([window.in_flight for window in windows]),
            )


def _windows(runs: Sequence[Run], index: int, streams: str) -> list[Window]:
    """The windows after a mark of all streams whose name begins so."""
    return [one.windows[index] for run in runs for one in run.felt if one.stream.startswith(streams)]


def _share(windows: Sequence[Window]) -> float:
    requests = sum(window.requests for window in windows)
    return sum(window.failed for window in windows) / requests if requests else 0.0
