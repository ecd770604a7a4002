"""The verdict as a terminal table."""

from collections.abc import Sequence
from typing import Final

from rich.table import Table

from drills.judge import Verdict
from drills.summary import Summary, counted

COLUMNS: Final = (
    "runs",
    "verdict",
    "mark",
    "last failed new request",
    "longest gap of writes",
    "failed: new / kept / patient",
    "p99 in the drill, ms",
    "of five minutes' slow requests",
    "whole again",
    "lost",
)
STYLES: Final = {Verdict.PASSED: "green", Verdict.MISSED: "yellow", Verdict.VOID: "magenta", Verdict.FAILED: "red"}


def table(summaries: Sequence[Summary]) -> Table:
    """One row per mark of each fault; p99 and what was used of five minutes are of the worst run and operation."""
    made = Table(title="Drills: seconds as min / median / p95 / max; whole again: median")
    made.add_column("fault", no_wrap=True)
    for column in COLUMNS:
        made.add_column(column, overflow="fold")
    for summary in summaries:
        for number, row in enumerate(summary.rows):
            head, tail = (_head(summary), _tail(summary)) if number == 0 else (("", "", ""), ("", "", "", ""))
            failed = " / ".join(f"{share:.1%}" for _, share in row.failed)
            made.add_row(*head, row.label, str(row.last_failure), str(row.longest_gap), failed, *tail)
    return made


def _head(summary: Summary) -> tuple[str, ...]:
    return summary.fault.name, counted(summary), f"[{STYLES[summary.verdict]}]{summary.verdict}"


def _tail(summary: Summary) -> tuple[str, ...]:
    return (
        f"{summary.p99 * 1000:.0f}",
        f"{summary.used.high:.0%}",
        f"{summary.redundancy.middle:.1f}" if summary.redundancy else "never",
        f"{summary.lost} of {summary.acknowledged}",
    )
