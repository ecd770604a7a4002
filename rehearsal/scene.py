"""What a rehearsal needs of the cloud that it pretends."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from rehearsal.engine import Operation

Ways = Mapping[str, Sequence[tuple[str, int]]]
"""How types were checked, in words → types, and how many resources of each."""


class InspectionError(Exception):
    """The cloud is not what was promised; one line for each thing."""


class Scene(Protocol):
    """A pretended cloud, and what is played on it."""

    environment: Mapping[str, str]
    """What the engine and its plugins find the cloud by."""
    changes: Mapping[str, Any]
    """Settings for the step in which some are changed."""
    kept: tuple[str, ...]
    """Ends of types that this change may not replace."""
    not_enforced: Sequence[str]
    """What the rehearsal does not prove."""

    def inspect(self) -> list[str]:
        """What the cloud holds after `up`, asked of it and not of the program, in words.

        Raises:
            InspectionError: something is not as promised.
        """

    def running(self) -> set[str]:
        """What must still run after the change."""

    def unharmed(self, before: set[str], operations: Sequence[Operation]) -> str:
        """That it does, in words, and what becomes of it by what the engine did."""

    def take_away(self) -> str:
        """Remove something behind the engine's back; its name."""

    def unlock(self) -> Sequence[str]:
        """Do by hand what a person does before a destroy of what is guarded; options that the destroy then needs."""

    def left(self) -> str:
        """What outlives the stack, in words.

        Raises:
            InspectionError: more than should.
        """

    def checked(self, resources: Sequence[Mapping[str, Any]]) -> Ways:
        """How the types of these resources were checked."""

    def log(self) -> str:
        """What the cloud itself says when something went wrong; nothing where it has nothing to say."""
