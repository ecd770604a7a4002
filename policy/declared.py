"""Reading what a control plane declares of itself (components/declaration.py). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from components.scenarios import SHAPES, Scenario, Shape
from policy.resource import Resource

UNDECLARED: Final = Scenario.PRODUCTION
"""What is asked of a program that says of no scenario that it has it."""


@dataclass(frozen=True)
class Placed:
    """A machine and its zone."""

    name: str
    zone: str


def scenario(plane: Resource) -> Scenario | None:
    """The scenario that a control plane declares, if it does."""
    named = plane.properties.text("scenario")
    return Scenario(named) if named in list(Scenario) else None


def shape(plane: Resource) -> Shape:
    """What the declared scenario asks for."""
    return SHAPES[scenario(plane) or UNDECLARED]


def self_managed(plane: Resource) -> bool:
    """Whether it declares machines of its own; without them rules on machines have nothing to judge."""
    return scenario(plane) is not None and plane.properties.text("controlPlane") != "managed"


def masters(plane: Resource) -> Sequence[Placed]:
    """Declared masters."""
    return placed(plane, "masters")


def members(plane: Resource) -> Sequence[Placed]:
    """Declared etcd members."""
    return placed(plane, "members")


def placed(plane: Resource, path: str) -> Sequence[Placed]:
    """Machines under a property of the declaration."""
    return [Placed(machine.text("name"), machine.text("zone")) for machine in plane.properties.groups(path)]
