"""What a property of Azure's API may be, in one form for both generations of its libraries."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class Anything:
    """Whatever JSON has."""


@dataclass(frozen=True)
class Flag:
    """True or false."""


@dataclass(frozen=True, kw_only=True)
class Number:
    """A number within bounds."""

    whole: bool
    least: float | None = None
    most: float | None = None


@dataclass(frozen=True, kw_only=True)
class Text:
    """A string; dates, durations and IDs too."""

    accepted: tuple[str, ...] = ()
    """Empty means any."""
    pattern: str | None = None
    shortest: int | None = None
    longest: int | None = None


@dataclass(frozen=True)
class Sequence:
    """A list."""

    item: Any


@dataclass(frozen=True)
class Dictionary:
    """A mapping whose keys are the user's."""

    value: Any


@dataclass(frozen=True)
class Object:
    """A group of properties, by the class of Azure's library that has them."""

    model: Any


Shape = Anything | Flag | Number | Text | Sequence | Dictionary | Object


@dataclass(frozen=True, kw_only=True)
class Property:
    """A property of a model."""

    names: frozenset[str]
    """As pulumi-azure-native spells it: Azure's own name in camelCase, or the one that its definitions give clients."""
    shape: Shape
    required: bool
    read_only: bool
    constant: bool = False
    """Whether it says which model this is."""


Properties = Mapping[str, Property]
"""By the name that Azure's library has for it."""
