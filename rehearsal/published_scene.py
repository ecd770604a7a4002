"""A cloud that nothing emulates, pretended by a stand-in that holds everything against what the cloud publishes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from providers.ledger import FOLDER_VARIABLE, Ledger
from providers.published import Kind
from rehearsal.engine import Operation
from rehearsal.scene import InspectionError, Ways

NOT_ENFORCED: Final = (
    "everything that only a description says in words, or that depends on what else is there: the cloud's own backend "
    "is not here",
    "permissions, quotas, capacity and prices of an account",
    "machines, the API and its agreement: resources exist in a ledger, and nothing runs",
    "the provider's own code: the stand-in's mapping of its properties stands for it",
    "differences of properties in a refresh: it finds only what is gone",
)


class PublishedScene:
    """What is the same in every such cloud (see `rehearsal.scene.Scene`)."""

    changes: Mapping[str, Any]
    kept: tuple[str, ...]
    not_enforced: Sequence[str] = NOT_ENFORCED
    kinds: Mapping[str, Kind]
    """Of the stand-in."""
    alarms: str
    """Type of which one is taken away."""
    outliving: tuple[str, ...]
    """Types of which some may be left when the stack is gone."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.ledger = Ledger(folder)
        self.environment = {FOLDER_VARIABLE: str(folder), **environment}

    def running(self) -> set[str]:
        return {entry.identity for entry in self.ledger.entries() if entry.type.endswith(self.kept)}

    def unharmed(self, before: set[str], operations: Sequence[Operation]) -> str:
        return f"none of {len(before)} that must stay was replaced"

    def take_away(self) -> str:
        taken = next(self.ledger.entries(self.alarms))
        self.ledger.remove(taken.identity, taken.type)
        return taken.identity

    def unlock(self) -> Sequence[str]:
        return ()

    def left(self) -> str:
        found = Counter(entry.type for entry in self.ledger.entries())
        more = [f"{count} {kind}" for kind, count in found.items() if not kind.endswith(self.outliving)]
        if more:
            raise InspectionError(f"destroy left {', '.join(more)}")
        kept = ", ".join(f"{count} {kind.rsplit(':', 1)[1]}" for kind, count in sorted(found.items()))
        return f"kept: {kept}" if kept else ""

    def checked(self, resources: Sequence[Mapping[str, Any]]) -> Ways:
        counted = Counter(found["type"] for found in resources if found["type"] in self.kinds)
        ways: dict[str, list[tuple[str, int]]] = {}
        for kind, count in sorted(counted.items()):
            ways.setdefault(f"held against {self.kinds[kind].checked_against}", []).append((kind, count))
        return ways

    def log(self) -> str:
        return ""
