"""What was broken under load, how that ended, how long it took, what was lost: printed at the end of a run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass
class Row:
    """A line of the table."""

    start: str
    action: str
    end: str
    seconds: float
    """From the action to the end state."""
    acknowledged: int
    """Writes of the client that wrote all the time."""
    lost: int
    after_snapshot: int | None = None
    """Of a restore: acknowledged after its snapshot, so that they have to be lost. None where nothing may be."""


TABLE: list[Row] = []
"""Of the test that runs."""

LINE = "{:<34} {:<50} {:<48} {:>7} {:>6} {:>5}"


def lines(rows: Sequence[Row]) -> Iterator[str]:
    """The table of a run."""
    yield LINE.format("start", "action", "end", "seconds", "acked", "lost")
    for row in rows:
        lost = f"{row.lost}" if row.after_snapshot is None else f"{row.lost}*"
        yield LINE.format(row.start, row.action, row.end, f"{row.seconds:.1f}", row.acknowledged, lost)
    if any(row.after_snapshot is not None for row in rows):
        yield "* all of what was acknowledged after the snapshot that was restored, and nothing else"
