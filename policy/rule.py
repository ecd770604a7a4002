"""What a rule of the pack is. Pure: rules know neither Pulumi nor its policy SDK."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from components.scenarios import Scenario
from policy.resource import Resource, Stack

Config = Mapping[str, Any]
"""A rule's settings with defaults filled in."""

ResourceCheck = Callable[[Resource, Config], Iterator[str]]
StackCheck = Callable[[Resource, Stack, Config], Iterator[str]]
"""Both yield one line for each thing that is wrong: what it got, and what to set instead."""


class Severity(StrEnum):
    """How bad a violation is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Level(StrEnum):
    """What a violation does: an advisory one is told, a mandatory one stops the stack."""

    ADVISORY = "advisory"
    MANDATORY = "mandatory"


Levels = Mapping[Scenario, Level]

ALWAYS: Final[Levels] = dict.fromkeys(Scenario, Level.MANDATORY)
"""For privacy and for data, which a development stack has as well."""

NOT_IN_DEVELOPMENT: Final[Levels] = {**ALWAYS, Scenario.DEVELOPMENT: Level.ADVISORY}
"""For availability and what it costs: in development cost is the point."""

CRITICAL_ONLY: Final[Levels] = {**dict.fromkeys(Scenario, Level.ADVISORY), Scenario.CRITICAL: Level.MANDATORY}


class Framework(StrEnum):
    """Where else the same rule has an identifier."""

    CHECKOV = "Checkov"
    CIS_EKS = "CIS Amazon EKS Benchmark 1.5.0"
    CIS_GKE = "CIS Google GKE Benchmark 1.6.0"
    CIS_AKS = "CIS Azure AKS Benchmark 1.7"


@dataclass(frozen=True)
class Identifier:
    """A rule's name in a framework."""

    framework: Framework
    reference: str


def checkov(*references: str) -> tuple[Identifier, ...]:
    """Identifiers of Checkov's checks, as its release 3.3.30 has them."""
    return tuple(Identifier(Framework.CHECKOV, reference) for reference in references)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One promise, and how to see that a program breaks it."""

    name: str
    why: str
    """One sentence: what is lost without it."""
    types: Sequence[str]
    """Resource types that it judges; `*` matches any part."""
    severity: Severity
    satisfy: str
    """One sentence: what to write."""
    levels: Levels = field(default_factory=lambda: NOT_IN_DEVELOPMENT)
    schema: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Setting → JSON schema, with its default."""
    identifiers: Sequence[Identifier] = ()

    @property
    def defaults(self) -> dict[str, Any]:
        """The settings of somebody who configures nothing."""
        return {name: schema["default"] for name, schema in self.schema.items()}

    def configured(self, given: Config) -> dict[str, Any]:
        """The settings with defaults filled in.

        Raises:
            ValueError: a setting that the rule does not have.
        """
        strange = sorted(set(given) - set(self.schema))
        if strange:
            accepted = ", ".join(sorted(self.schema)) or "none"
            raise ValueError(f"policy {self.name} has no setting {', '.join(strange)}; accepted: {accepted}")
        return {**self.defaults, **given}


@dataclass(frozen=True, kw_only=True)
class ResourceRule(Rule):
    """Judges a resource by itself, before it is created."""

    check: ResourceCheck


@dataclass(frozen=True, kw_only=True)
class StackRule(Rule):
    """Judges a resource by what is around it, when the whole program is known."""

    check: StackCheck


def resource_rule(**facts: Any) -> Callable[[ResourceCheck], ResourceRule]:
    """Makes a rule of a function: its name is the function's, its reason the docstring. `facts` as in `Rule`."""
    return lambda check: ResourceRule(**identity(check), **facts, check=check)


def stack_rule(**facts: Any) -> Callable[[StackCheck], StackRule]:
    """As `resource_rule`, for a function that looks around."""
    return lambda check: StackRule(**identity(check), **facts, check=check)


def identity(check: Callable[..., Iterator[str]]) -> dict[str, Any]:
    """A rule's name and reason, out of its function's."""
    return {"name": check.__name__.replace("_", "-"), "why": " ".join((check.__doc__ or "").split())}
