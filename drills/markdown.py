"""A campaign as Markdown: the table that docs/measurements.md has, and what did not hold. Pure."""

from collections.abc import Iterator, Sequence
from typing import Final

from drills.judge import Verdict
from drills.record import Operation
from drills.summary import Row, Spread, Summary, counted
from drills.verdict import MarkKind

COLUMNS: Final = (
    "fault",
    "runs",
    "last failed new request",
    "after the heal",
    "longest gap of writes",
    "failed: new / kept / patient, %",
    "p99: create / write / read, ms",
    "of five minutes' slow requests",
    "whole again: median / worst",
    "lost",
)
NOTHING: Final = "\N{EN DASH}"


def page(summaries: Sequence[Summary]) -> str:
    """The table, seconds as min / median / max, and below it what it adds up to; p99 is the worst run's."""
    lines = [_line(COLUMNS), "|---" * len(COLUMNS) + "|"]
    for summary in summaries:
        for number, (fault, heal) in enumerate(pairs(summary.rows)):
            name = summary.fault.title if number == 0 else f"… {fault.label}"
            runs, *drill = _whole(summary) if number == 0 else [""] * 5
            felt = (_seconds(fault.last_failure), _after(heal, summary), _seconds(fault.longest_gap), _failed(fault))
            lines.append(_line((name, runs, *felt, *drill)))
    return "\n".join([*lines, "", *_verdict(summaries)]) + "\n"


def pairs(rows: Sequence[Row]) -> Iterator[tuple[Row, Row | None]]:
    """Each fault with the heal that follows it, if one does."""
    for number, row in enumerate(rows):
        if row.kind is MarkKind.FAULT:
            following = rows[number + 1] if number + 1 < len(rows) else None
            yield row, following if following and following.kind is MarkKind.HEAL else None


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"


def _seconds(found: Spread) -> str:
    values = (found.low,) if found.low == found.high else (found.low, found.middle, found.high)
    return " / ".join(f"{value:.2f}" if value else "0" for value in values)


def _after(heal: Row | None, summary: Summary) -> str:
    """In how many runs a new request failed after the heal, and the last of them at worst."""
    if heal is None:
        return NOTHING
    return f"{heal.failing} of {summary.runs or summary.void}: {heal.last_failure.high:.2f}" if heal.failing else "0"


def _failed(row: Row) -> str:
    return " / ".join(f"{share * 100:.1f}" for _, share in row.failed)


def _whole(summary: Summary) -> list[str]:
    """What is said of whole runs: how many, p99, share of five minutes, redundancy, what was lost."""
    p99 = {operation: seconds.high for operation, seconds, _ in summary.latency}
    again = summary.redundancy
    return [
        counted(summary),
        " / ".join(f"{p99[operation] * 1000:.0f}" if operation in p99 else NOTHING for operation in Operation),
        f"{summary.used.middle * 100:.0f} / {summary.used.high * 100:.0f} %",
        f"{again.middle:.1f} / {again.high:.1f}" if again else "never",
        f"{summary.lost} of {summary.acknowledged}",
    ]


def _verdict(summaries: Sequence[Summary]) -> Iterator[str]:
    """Totals; then floors and targets that did not hold, apart from each other."""
    runs, void = sum(one.runs for one in summaries), sum(one.void for one in summaries)
    lost, acknowledged = sum(one.lost for one in summaries), sum(one.acknowledged for one in summaries)
    yield f"{runs} runs, {void} void; {lost} of {acknowledged} acknowledged writes are lost."
    for verdict, title in (
        (Verdict.FAILED, "Floors that did not hold"),
        (Verdict.VOID, "Runs that say nothing"),
        (Verdict.MISSED, "Targets that were missed"),
    ):
        found = [(one.fault.name, finding.text) for one in summaries for finding in one.findings
                 if finding.verdict is verdict]  # fmt: skip
        yield f"\n{title}: {'' if found else 'none'}"
        yield from (f"- {name}: {text}" for name, text in found)
