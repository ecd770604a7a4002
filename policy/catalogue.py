"""All rules of the pack, grouped by what they protect."""

from collections.abc import Mapping
from types import ModuleType
from typing import Final

from policy.rule import Rule
from policy.rules import (
    backups,
    encryption,
    exposure,
    identity,
    load_balancing,
    observation,
    quorum,
    recovery,
    spread,
    storage,
    workloads,
)

GROUPS: Final[Mapping[str, ModuleType]] = {
    "Spread over zones": spread,
    "Quorum": quorum,
    "Storage": storage,
    "Backups": backups,
    "Exposure": exposure,
    "Encryption": encryption,
    "Identity": identity,
    "Load balancing": load_balancing,
    "Recovery": recovery,
    "Observation": observation,
    "Workloads": workloads,
}


def rules_of(module: ModuleType) -> tuple[Rule, ...]:
    """The rules that a module defines, in its order."""
    return tuple(value for value in vars(module).values() if isinstance(value, Rule))


RULES: Final[Mapping[str, Rule]] = {rule.name: rule for module in GROUPS.values() for rule in rules_of(module)}
"""Name → rule."""
