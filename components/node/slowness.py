"""Since when a member is slow, how long it is taken for slow, and how often leadership leaves it for that. Pure.

What is slow may be its disk (`sync_times`) or its link (`round_trips`).
"""

from dataclasses import dataclass
from typing import Final

HAND_OVER_SECONDS: Final = 30.0
"""Between two moves of leadership away from one machine: slowness that comes and goes must not become elections. It is
given to who is quick, and seldom comes back by itself."""

WELL_SECONDS: Final = 10.0
"""How long what was slow has to be well until it is taken for well."""


@dataclass
class Judgement:
    """What one member is taken for, and when leadership was moved away from it last. Times are monotonic."""

    slow_at: float | None = None
    """When it was slow last; None while it counts as well."""
    moved_at: float | None = None

    def found(self, now: float, *, slow: bool) -> bool:
        """Take note of a window; whether the member counts as slow."""
        if slow:
            self.slow_at = now
        elif self.slow_at is not None and now - self.slow_at >= WELL_SECONDS:
            self.slow_at = None
        return self.slow_at is not None

    def may_move(self, now: float) -> bool:
        """Whether leadership may be moved, by when it was last."""
        return self.moved_at is None or now - self.moved_at >= HAND_OVER_SECONDS
