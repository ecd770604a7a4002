"""Which fault a campaign drills next. Pure."""

from collections.abc import Mapping, Sequence


def due(wanted: Sequence[str], sound: Mapping[str, int], wasted: Mapping[str, int], repeat: int) -> str | None:
    """The fault with the fewest runs that still lacks some; None when all have theirs.

    Args:
        wanted: faults by name; of those with as many runs, the first is due.
        sound: how many runs a fault has that count, from earlier campaigns too.
        wasted: how many runs of this campaign did not count, void or broken off. A fault that had as many of these as
            it should have of the others is given up: what it needs is not there today.
        repeat: how many runs each fault should have.
    """
    lacking = [name for name in wanted if sound.get(name, 0) < repeat and wasted.get(name, 0) < repeat]
    return min(lacking, key=lambda name: sound.get(name, 0) + wasted.get(name, 0), default=None)
