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
    about = [
        f"stack {stack}, scenario {scenario}",
        datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        f"{len(drilled)} runs",
        f"load {max((one.run.load_qps for one in drilled), default=0)} requests/s beside the probe",
        f"the probe took at most {cpu:.0%} of a core",
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


def _figure(number: int, drilled: Drilled) -> tuple[str, str]:
    trace = drilled.trace
    svg = draw(list(record.read(drilled.records)), trace.marks, trace.leaders, trace.start, trace.end)
    return f"run {number}: {', '.join(mark.label for mark in trace.marks)}", svg
