"""What clients felt on two clusters under the same faults, and how many times as much on one as on the other. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rich.table import Table

from drills.drill import Drilled
from drills.fault import Fault
from drills.summary import Row, summarize

RESOLUTION: Final = 0.1
"""Seconds between two requests of a stream: what is shorter was not seen, and nothing is divided by less."""


@dataclass(frozen=True)
class Compared:
    """A mark of a fault on both clusters."""

    fault: str
    ours: Row
    usual: Row

    @property
    def last_failure(self) -> float:
        """How many times as long new requests failed on the usual one, medians."""
        return ratio(self.usual.last_failure.middle, self.ours.last_failure.middle)

    @property
    def longest_gap(self) -> float:
        """How many times as long the longest gap of writes was on the usual one, medians."""
        return ratio(self.usual.longest_gap.middle, self.ours.longest_gap.middle)


def ratio(usual: float, ours: float) -> float:
    """How many times ours goes into the usual, both in seconds."""
    return max(usual, RESOLUTION) / max(ours, RESOLUTION)


def compare(
    faults: Sequence[Fault], ours: Mapping[str, Sequence[Drilled]], usual: Mapping[str, Sequence[Drilled]]
) -> Iterator[Compared]:
    """All marks of the faults that were drilled on both."""
    for fault in faults:
        if fault.name in ours and fault.name in usual:
            rows = [summarize(fault, [one.run for one in found[fault.name]], None).rows for found in (ours, usual)]
            for mine, theirs in zip(*rows, strict=True):
                yield Compared(fault.name, mine, theirs)


def table(compared: Sequence[Compared]) -> Table:
    """Both clusters side by side."""
    made = Table(title="Ours, and kubeadm's documents: seconds as min / median / p95 / max, and ratios of medians")
    for column in (
        "fault",
        "mark",
        "last failed new request",
        "ratio",
        "longest gap of writes",
        "ratio",
        "failed, new",
    ):
        made.add_column(column, overflow="fold")
    for one in compared:
        made.add_row(
            one.fault,
            one.ours.label,
            f"{one.ours.last_failure}\n{one.usual.last_failure}",
            f"{one.last_failure:.1f}",
            f"{one.ours.longest_gap}\n{one.usual.longest_gap}",
            f"{one.longest_gap:.1f}",
            f"{dict(one.ours.failed)['new']:.1%}\n{dict(one.usual.failed)['new']:.1%}",
        )
    return made
