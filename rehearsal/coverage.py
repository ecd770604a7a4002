"""What a rehearsal proves and what it cannot: which types were checked how, and what the emulator lets pass."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from providers.aws.kinds import KINDS

NOT_ENFORCED: Final = (
    "conditions of IAM policies, and IAM as such: every request of the rehearsal is the account owner's",
    "spread of a group's machines over its zones: the emulator puts them all in the first",
    "quotas and capacity of an account",
    "health of targets: the emulator finds every machine healthy, so `up` never waits for one to answer",
    "contents of files over 1 MiB: an empty object stands for them",
    "machines: they exist, and boot nothing (the local cloud boots the same agent)",
    "differences of properties in a refresh: it finds only what is gone",
    "Debian's public image parameter: another image of the emulator's stands for it",
)


def checked(resources: Sequence[Mapping[str, Any]]) -> dict[str, list[tuple[str, int]]]:
    """How → types and how many of each."""
    counted = Counter(found["type"] for found in resources if found["type"] in KINDS)
    ways: dict[str, list[tuple[str, int]]] = {
        "carried out on the emulator, each request held against AWS's own service model": [],
        "held against AWS's own service model only: the emulator lacks it": [],
    }
    carried_out, modelled = ways.values()
    for kind, count in sorted(counted.items()):
        (carried_out if KINDS[kind].emulated else modelled).append((kind, count))
    return ways
