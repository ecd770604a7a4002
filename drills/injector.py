"""What a drill asks of the place where the machines live: the one seam between drills and a cloud."""

from collections.abc import Sequence
from typing import Protocol

from drills.fault import Inject, Machine


class InjectionError(Exception):
    """The fault could not be made or undone; the message says what was asked and what came back."""


class Injector(Protocol):
    """Every call raises `InjectionError` when it could not do what it says. `heal` undoes all of them."""

    inside: bool
    """Whether commands can be run on machines; where not, what members hold is read through API servers alone."""
    recovery_seconds: float
    """A cluster that is not whole after this has not repaired itself."""

    def machines(self) -> Sequence[Machine]:
        """Machines of the cluster, whether they run or not."""

    def program(self) -> str:
        """Hash of what the machines boot from (`conditions.program`)."""

    def incarnation(self, machine: str) -> str:
        """Identity of what runs as this machine now: another once it was replaced, empty while nothing runs."""

    def unable(self, step: Inject) -> str | None:
        """Why a step cannot be done here, in words; None when it can."""

    def kill(self, machine: str) -> None:
        """End a machine as if its power was cut: what its member had not synced is lost."""

    def power_off(self, machine: str) -> None:
        """Shut a machine down in order; returns when it was told to."""

    def cut(self, target: str, how: str) -> None:
        """Cut a machine or a zone off: `link`, `silent`, `one-way`; or a member's machine from the others': `peers`."""

    def signal(self, machine: str, program: str, signal: str) -> None:
        """Send a signal to every process of a program on a machine."""

    def wipe(self, machine: str) -> None:
        """Lose the machine's volume, and the machine with it."""

    def fill(self, machine: str) -> None:
        """Fill the file system of the member's data."""

    def slow(self, machine: str, what: str) -> None:
        """Make a machine's `link`, or the `disk` of its member's data, slow."""

    def heal(self) -> None:
        """Undo everything that can be undone; harmless when there is nothing."""

    def run(self, machine: str, *command: str, timeout: float = 20) -> str:
        """Standard output of a command on a machine."""
