"""Programs written down as data: run by rules in milliseconds, or replayed through the engine (replay/)."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

from policy.properties import UNKNOWN, Properties
from policy.resource import Resource, Stack


@dataclass(frozen=True)
class Ref:
    """The id of another resource of the program: unknown in a preview, and a dependency."""

    name: str


@dataclass(frozen=True)
class Declared:
    """A resource as a program asks for it."""

    type: str
    name: str
    properties: Mapping[str, Any] = field(default_factory=dict)
    parent: str = ""
    """Name of the component."""
    protect: bool = False

    @property
    def key(self) -> str:
        """Names a resource in its program; types may share a name."""
        return f"{self.type.rsplit(':', 1)[-1]}/{self.name}"


Program = Mapping[str, Declared]


def program(*resources: Declared) -> Program:
    """Key → resource."""
    made = {resource.key: resource for resource in resources}
    assert len(made) == len(resources), "two resources share type and name"
    return made


def references(value: Any) -> Iterable[str]:
    if isinstance(value, Ref):
        yield value.name
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from references(item)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for item in value:
            yield from references(item)


def resolved(value: Any, answer: Callable[[Ref], Any]) -> Any:
    """The value with something else in place of its references."""
    if isinstance(value, Ref):
        return answer(value)
    if isinstance(value, Mapping):
        return {key: resolved(item, answer) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [resolved(item, answer) for item in value]
    return value


def as_stack(declared: Program, *, preview: bool = True) -> Stack:
    """What the policy pack would see of a program."""
    urns: dict[str, str] = {}
    for key, resource in declared.items():
        above = urns[resource.parent].split("::")[2] + "$" if resource.parent else ""
        urns[key] = f"urn:pulumi:stack::kube-ha::{above}{resource.type}::{resource.name}"
    return Stack([as_resource(resource, urns, preview) for resource in declared.values()])


def as_resource(resource: Declared, urns: Mapping[str, str], preview: bool) -> Resource:
    answered = resolved(resource.properties, lambda ref: UNKNOWN if preview else f"{ref.name}-id")
    return Resource(
        type=resource.type,
        name=resource.name,
        urn=urns[resource.key],
        properties=Properties(answered if preview else {"id": f"{resource.key}-id", **answered}),
        protect=resource.protect,
        parent=urns.get(resource.parent, ""),
        dependencies={
            name: [urns[key] for key in references(value)]
            for name, value in resource.properties.items()
            if any(True for _ in references(value))
        },
    )


STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


class Absent:
    """Written as a value, it takes the property away."""


def changed(declared: Program, key: str, path: str, value: Any) -> Program:
    """The program with one property set to another value; `protect` is the resource option."""
    resource = declared[key]
    if path == "protect":
        return {**declared, key: replace(resource, protect=value)}
    properties = deepcopy(dict(resource.properties))
    steps: list[Any] = [name or int(index) for name, index in STEP.findall(path)]
    target: Any = properties
    for step in steps[:-1]:
        target = target[step]
    if value is Absent:
        del target[steps[-1]]
    else:
        target[steps[-1]] = value
    return {**declared, key: replace(resource, properties=properties)}


def without(declared: Program, key: str) -> Program:
    """The program without a resource."""
    return {other: resource for other, resource in declared.items() if other != key}
