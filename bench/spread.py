"""Several measurements of one thing, as a row of a table."""

from collections.abc import Sequence
from statistics import median

Row = tuple[str, str, str, str, str]


def row(what: str, values: Sequence[float], unit: str) -> Row:
    """What was measured; min, median and max; how often."""
    low, middle, high = (f"{value:.1f} {unit}" for value in (min(values), median(values), max(values)))
    return what, low, middle, high, str(len(values))
