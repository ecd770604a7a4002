"""The report's page of finished drills: their records read and drawn."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from drills import record, report
from drills.drill import Drilled
from drills.latency import PROMISED_SECONDS
from drills.plot import draw
from drills.summary import Summary
from drills.thresholds import Floor


def page(
    found: Mapping[str, Sequence[Drilled]],
    summaries: Sequence[Summary],
    stack: str,
    scenario: str,
    limit: Floor | None,
) -> str:
    """The page of all drills in `found`, by fault; `summaries` are in the same order."""
    drilled = [one for runs in found.values() for one in runs]
    cpu = max((one.trace.probe_cpu for one in drilled), default=0.0)
    qps = max((one.run.load_qps for one in drilled), default=0)
    about = [
        f"stack {stack}, scenario {scenario}",
        f"{len(drilled)} runs, finished {_when(drilled)}",
        f"the probe sends {max((_rate(one) for one in drilled), default=0):.0f} requests/s"
        f" and took at most {cpu:.0%} of a core",
        f"load of {qps} requests/s beside it" if qps else "no load beside it",
        f"floors: no lost write{_of(limit)}",
    ]
    shown = [
        report.Shown(summary, [_figure(number, one) for number, one in enumerate(found[summary.fault.name], 1)])
        for summary in summaries
    ]
    return report.render(stack, about, shown)


def _of(limit: Floor | None) -> str:
    if limit is None:
        return ""
    return f", failover {limit.failover_seconds:g} s, p99 over five minutes {PROMISED_SECONDS * 1000:g} ms"


def _when(drilled: Sequence[Drilled]) -> str:
    """From the first run to the last."""
    times = sorted(datetime.fromtimestamp(one.at, UTC).strftime("%Y-%m-%d %H:%M") for one in drilled)
    return f"{times[0]} to {times[-1]} UTC" if times else "never"


def _rate(drilled: Drilled) -> float:
    return sum(one.baseline.intended_rate for one in drilled.run.felt)


def _figure(number: int, drilled: Drilled) -> tuple[str, str]:
    trace = drilled.trace
    svg = draw(list(record.read(drilled.records)), trace.marks, trace.leaders, trace.start, trace.end)
    folder = "/".join(drilled.records.parts[-3:-1])
    return f"run {number}, in {folder}: {', '.join(mark.label for mark in trace.marks)}", svg
