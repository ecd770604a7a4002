"""Which scenario a resource is held to: that of the control plane that made it."""

from components.topology import Scenario
from policy.declared import UNDECLARED


class Scenarios:
    """Remembers parents and declarations of what was seen: the engine shows a component before its children."""

    def __init__(self) -> None:
        self._parents: dict[str, str] = {}
        self._declared: dict[str, Scenario] = {}

    def see(self, urn: str, parent: str, scenario: Scenario | None) -> None:
        """Remember a resource."""
        self._parents[urn] = parent
        if scenario is not None:
            self._declared[urn] = scenario

    def of(self, urn: str) -> Scenario:
        """The scenario of the nearest control plane above a resource, or its own.

        A resource that no control plane made is held to the production scenario.
        """
        while urn and urn not in self._declared:
            urn = self._parents.get(urn, "")
        return self._declared.get(urn, UNDECLARED)
