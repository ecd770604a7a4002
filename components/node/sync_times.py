"""How long a member's log takes to reach its disk, from two looks at etcd's metrics, and when that is too long. Pure.

A leader writes an entry to its own log before it takes the next one, so that everybody waits for its disk; a follower
that is as slow holds up only who asks it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

QUICK: Final = "0.016"
"""Seconds, a bound of etcd's histogram. Its documents want the 99th percentile below 0.01."""

BEARABLE: Final = "0.064"
"""Four times as long. Beyond it heartbeats come late (measured: syncs of 0.2 s are felt by every client)."""

FEWEST: Final = 2
"""Syncs in a window, below which nothing is said of it: half a second holds two of 0.2 s, which is what a leader needs
for each where its disk takes 20 writes a second (measured); its followers sync no oftener than it does."""


@dataclass(frozen=True)
class Syncs:
    """How many syncs of the log there were, and how many of them took no longer than the two bounds."""

    quick: float
    bearable: float
    total: float

    def since(self, before: Self) -> "Syncs":
        """Those of the window between two looks; none where etcd was started in it."""
        if self.total < before.total:
            return Syncs(0, 0, 0)
        return Syncs(self.quick - before.quick, self.bearable - before.bearable, self.total - before.total)

    @property
    def any_slow(self) -> bool:
        """Whether one took longer than `BEARABLE`."""
        return self.bearable < self.total

    @property
    def are_slow(self) -> bool:
        """Whether the median is above `BEARABLE`."""
        return self.total >= FEWEST and self.bearable < self.total / 2

    @property
    def are_quick(self) -> bool:
        """Whether the median is at most `QUICK`."""
        return self.total >= FEWEST and self.quick >= self.total / 2


@dataclass(frozen=True)
class Look:
    """What a member's metrics say at one moment."""

    member_id: int
    leads: bool
    votes: bool
    syncs: Syncs


def parse(metrics: str) -> Look:
    """Read a look out of etcd's metrics.

    Raises:
        ValueError: they lack one of the figures.
    """
    syncs = "etcd_disk_wal_fsync_duration_seconds"
    return Look(
        member_id=int(_after(metrics, 'etcd_server_id{server_id="', '"'), 16),
        leads=float(_after(metrics, "etcd_server_is_leader ")) == 1,
        votes=float(_after(metrics, "etcd_server_is_learner ")) == 0,
        syncs=Syncs(
            quick=float(_after(metrics, f'{syncs}_bucket{{le="{QUICK}"}} ')),
            bearable=float(_after(metrics, f'{syncs}_bucket{{le="{BEARABLE}"}} ')),
            total=float(_after(metrics, f"{syncs}_count ")),
        ),
    )


def quicker(before: Mapping[str, Look], after: Mapping[str, Look]) -> dict[str, Look]:
    """The voters whose disk was quick between two looks at each, by name."""
    return {
        name: look
        for name, look in after.items()
        if look.votes and name in before and look.syncs.since(before[name].syncs).are_quick
    }


def _after(metrics: str, start: str, end: str = "\n") -> str:
    # The text is 200 kB: it is searched, not split. "# TYPE etcd_server_is_leader gauge" must not be found.
    begin = metrics.find(f"\n{start}")
    if begin < 0:
        raise ValueError(f"etcd's metrics have no {start.strip()}")
    begin += 1 + len(start)
    return metrics[begin : metrics.index(end, begin)]
