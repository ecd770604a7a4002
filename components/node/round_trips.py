"""How long it takes from a member to the others and back, and when it is its own link that makes it long. Pure.

etcd measures this twice a minute. The kernel does with each acknowledgement, on connections that etcd has anyway, and
it is the other side's kernel that acknowledges, however busy its processors are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

NEAR_SECONDS: Final = 0.05
"""A kernel may keep an acknowledgement back for 0.04 s. Zones of a region are under 2 ms apart, and beside 24 programs
that want two processors the longest way took 5 ms (measured)."""

CONFIRM_SECONDS: Final = 1.0
"""How long every way has to be slow."""


@dataclass(frozen=True)
class Stream:
    """A connection over which this member writes to another one."""

    peer: str
    segments: int
    """Sent since it was made."""
    round_trip_seconds: float
    """Smoothed by the kernel over the last eight or so."""


def trips(before: Mapping[bytes, Stream], after: Mapping[bytes, Stream]) -> dict[str, float]:
    """Seconds to other members and back, of those that were written to between two looks; by the connection that was
    used most. What the kernel measured on others is old."""
    used: dict[str, tuple[int, float]] = {}
    for identity, stream in after.items():
        sent = stream.segments - (before[identity].segments if identity in before else 0)
        if sent:
            used[stream.peer] = max(used.get(stream.peer, (0, 0.0)), (sent, stream.round_trip_seconds))
    return {peer: seconds for peer, (_, seconds) in used.items()}


def near_seconds(heartbeat_seconds: float) -> float:
    """How long a way there and back may take: no longer than a heartbeat's interval, say etcd's documents."""
    return max(heartbeat_seconds, NEAR_SECONDS)


@dataclass
class Link:
    """What several connections share, from looks at them. Times are monotonic.

    What is slow to a single machine may be that machine's. To all others, for as long as it takes to be sure, it is
    what they share: of a member it is known only while it leads, since it alone writes to all others.
    """

    near_seconds: float
    """See the function."""
    fewest: int = 2
    """To how many machines it has to be slow."""
    before: Mapping[bytes, Stream] | None = None
    known: bool = False
    """Whether so many were written to before the last look."""
    way_seconds: float = 0.0
    """The shortest way at that look."""
    since: float | None = None
    """When every way was found slow first; None where one was not."""

    def look(self, now: float, streams: Mapping[bytes, Stream]) -> bool:
        """Take a look; whether every way was slow for a while."""
        ways = trips(self.before, streams) if self.before is not None else {}
        self.before = streams
        self.known = len(ways) >= self.fewest
        self.way_seconds = min(ways.values(), default=0.0)
        if not self.known or self.way_seconds <= self.near_seconds:
            self.since = None
            return False
        self.since = now if self.since is None else self.since
        return now - self.since >= CONFIRM_SECONDS
