"""The verdict as a terminal table."""

from collections.abc import Sequence
from typing import Final

from rich.table import Table

from drills.judge import Verdict
from drills.summary import Summary

STYLES: Final = {Verdict.PASSED: "green", Verdict.MISSED: "yellow", Verdict.VOID: "magenta", Verdict.FAILED: "red"}


def table(summaries: Sequence[Summary]) -> Table:
    """One row per mark of each fault."""
    made = Table(title="Drills: seconds as min / median / p95 / max")
    made.add_column("fault", no_wrap=True)
    for column in ("verdict", "mark", "last failed new request", "longest gap of writes", "failed", "lost"):
        made.add_column(column, overflow="fold")
    for summary in summaries:
        for number, row in enumerate(summary.rows):
            head = (summary.fault.name, f"[{STYLES[summary.verdict]}]{summary.verdict}") if number == 0 else ("", "")
            lost = f"{summary.lost} of {summary.acknowledged}" if number == 0 else ""
            failed = "\n".join(f"{kind} {share:.1%}" for kind, share in row.failed)
            made.add_row(*head, row.label, str(row.last_failure), str(row.longest_gap), failed, lost)
    return made
