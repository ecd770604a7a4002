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
    "failed",
    "p99 in the drill",
    "part of five minutes' slow requests",
    "whole again",
    "lost",
)
STYLES: Final = {Verdict.PASSED: "green", Verdict.MISSED: "yellow", Verdict.VOID: "magenta", Verdict.FAILED: "red"}


def table(summaries: Sequence[Summary]) -> Table:
    """One row per mark of each fault."""
    made = Table(title="Drills: seconds as min / median / p95 / max")
    made.add_column("fault", no_wrap=True)
    for column in COLUMNS:
        made.add_column(column, overflow="fold")
    for summary in summaries:
        for number, row in enumerate(summary.rows):
            head, tail = (_head(summary), _tail(summary)) if number == 0 else (("", "", ""), ("", "", "", ""))
            failed = "\n".join(f"{kind} {share:.1%}" for kind, share in row.failed)
            made.add_row(*head, row.label, str(row.last_failure), str(row.longest_gap), failed, *tail)
    return made


def _head(summary: Summary) -> tuple[str, ...]:
    return summary.fault.name, counted(summary), f"[{STYLES[summary.verdict]}]{summary.verdict}"


def _tail(summary: Summary) -> tuple[str, ...]:
    return (
        "\n".join(f"{operation} {seconds}" for operation, seconds, _ in summary.latency),
        "\n".join(f"{operation} {share}" for operation, _, share in summary.latency),
        str(summary.redundancy or "never"),
        f"{summary.lost} of {summary.acknowledged}",
    )
