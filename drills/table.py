"""The verdict as a terminal table."""

from collections.abc import Sequence
from typing import Final

from rich.table import Table

from drills.judge import Verdict
from drills.summary import Row, Summary, counted

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
NARROW: Final = (
    "verdict",
    "last failed new request",
    "longest gap of writes",
    "of five minutes' slow requests",
    "lost",
)
"""What is left of the columns where there is no room for all; marks are then beside the fault."""
WIDE: Final = 150
"""Columns of a terminal from which on the whole table can be read."""
STYLES: Final = {Verdict.PASSED: "green", Verdict.MISSED: "yellow", Verdict.VOID: "magenta", Verdict.FAILED: "red"}


def table(summaries: Sequence[Summary], width: int) -> Table:
    """One row per mark of each fault, for a terminal of so many columns.

    p99 and what was used of five minutes are of the worst run and operation.
    """
    wide = width >= WIDE
    shown = COLUMNS if wide else NARROW
    made = Table(title="Drills: seconds as min / median / p95 / max; whole again: median", pad_edge=wide)
    made.add_column("fault", no_wrap=True)
    for column in shown:
        made.add_column(column, overflow="fold")
    for summary in summaries:
        for number, row in enumerate(summary.rows):
            first = number == 0
            cells = _cells(summary, row, first=first)
            name = summary.fault.name if first else "" if wide else f"… {row.label}"
            made.add_row(name, *(cells[column] for column in shown))
    return made


def _cells(summary: Summary, row: Row, *, first: bool) -> dict[str, str]:
    """By column; what is said of whole runs stands in the first row of a fault only."""
    of_mark = (
        row.label,
        str(row.last_failure),
        str(row.longest_gap),
        " / ".join(f"{share:.1%}" for _, share in row.failed),
    )
    head, tail = (_head(summary), _tail(summary)) if first else (("", ""), ("", "", "", ""))
    return dict(zip(COLUMNS, (*head, *of_mark, *tail), strict=True))


def _head(summary: Summary) -> tuple[str, ...]:
    return counted(summary), f"[{STYLES[summary.verdict]}]{summary.verdict}"


def _tail(summary: Summary) -> tuple[str, ...]:
    return (
        f"{summary.p99 * 1000:.0f}",
        f"{summary.used.high:.0%}",
        f"{summary.redundancy.middle:.1f}" if summary.redundancy else "never",
        f"{summary.lost} of {summary.acknowledged}",
    )
