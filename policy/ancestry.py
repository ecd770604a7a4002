"""What the components above a resource declare: the scenario that it is held to, and what a preview does not know."""

from typing import Final

from components.scenarios import Scenario
from policy import declared
from policy.properties import Properties
from policy.resource import CONTROL_PLANE, Resource

COMPONENTS: Final = "kube-ha:*"


class Ancestry:
    """Remembers parents and declarations of what was seen: the engine shows a component before its children."""

    def __init__(self) -> None:
        self._parents: dict[str, str] = {}
        self._scenarios: dict[str, Scenario] = {}
        self._components: dict[str, Properties] = {}

    def see(self, resource: Resource) -> None:
        """Remember a resource as the program registers it."""
        self._parents[resource.urn] = resource.parent
        if resource.is_a(COMPONENTS):
            self._components[resource.urn] = resource.properties
        if resource.is_a(CONTROL_PLANE) and (scenario := declared.scenario(resource)):
            self._scenarios[resource.urn] = scenario

    def has_seen(self, urn: str) -> bool:
        """Whether a resource was seen."""
        return urn in self._parents

    def scenario(self, urn: str) -> Scenario:
        """The scenario of the nearest control plane above a resource, or its own.

        A resource that no control plane made is held to the production scenario.
        """
        return self._scenarios.get(self._nearest(urn, self._scenarios), declared.UNDECLARED)

    def component(self, urn: str) -> Properties:
        """What the nearest component of this project above a resource declares; nothing where there is none."""
        return self._components.get(self._nearest(urn, self._components), Properties({}))

    def _nearest(self, urn: str, among: dict[str, Scenario] | dict[str, Properties]) -> str:
        while urn and urn not in among:
            urn = self._parents.get(urn, "")
        return urn
