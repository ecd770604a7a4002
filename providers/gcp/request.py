"""From a resource's properties, which follow Terraform's names, to the request of Google's API that they become."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from providers.gcp.discovery import Method, Place, check_body, check_parameters, described, document
from providers.published import Problem
from providers.stand_in import UNKNOWN, Properties

NUMBERS: Final = re.compile(r"\.\d+(?=\.|$)")

Convert = Callable[[Any], Any]


@dataclass(frozen=True)
class To:
    """Where a property goes, from where its parent is, and what becomes of its value.

    A property without one goes where it is, by its own name.
    """

    place: str
    """Dotted, with numbers where lists are; `` is its parent's own place."""
    convert: Convert | None = None
    """The whole value becomes this; without it what is in it is mapped in its turn."""
    shared: bool = False
    """Whether the place begins in what is a property too."""


@dataclass(frozen=True, kw_only=True)
class Form:
    """How a type's properties become a request."""

    method: Method
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Of the request's address: name → template of properties, `projects/{project}/locations/{location}`."""
    mapping: Mapping[str, To] = field(default_factory=dict)
    """Property, dotted and without numbers in lists → where it goes."""
    own: frozenset[str] = frozenset()
    """Properties that are the provider's alone: the API never sees them."""
    within: str = ""
    """Where in the body the resource is; `` is the body itself."""

    def __str__(self) -> str:
        schema = described(self.method).get("request", {}).get("$ref", "the address")
        return f"{schema} of {self.method} (discovery document of {document(self.method.document)['revision']})"

    def problems(self, inputs: Properties, config: Mapping[str, str]) -> Iterator[Problem]:
        """Everything that the API would not take."""
        in_address = {name for template in self.parameters.values() for name in inputs if f"{{{name}}}" in template}
        body = Body()
        start = steps(self.within)
        given = {
            name: value
            for name, value in inputs.items()
            if name not in self.own and (name not in in_address or name in self.mapping)
        }
        self.fill(body, given, start, "")
        taken = self.taken
        for origin in body.properties:
            if (path := NUMBERS.sub("", origin)) in taken:
                yield Problem(origin, f"the API's name; the provider's is {taken[path]}")
        for where, reason in check_body(self.method, body.value):
            yield Problem(body.origin(where), reason)
        for where, reason in check_parameters(self.method, self.address(inputs, config)):
            yield Problem(str(where[0]), reason)

    @property
    def taken(self) -> dict[str, str]:
        """Names of the API that are none of the provider's, since another property becomes them → that property."""
        found = {}
        for path, to in self.mapping.items():
            above, _, name = path.rpartition(".")
            first = to.place.partition(".")[0]
            if first not in ("", name) and not to.shared:
                found[f"{above}.{first}" if above else first] = path
        return found

    def address(self, inputs: Properties, config: Mapping[str, str]) -> dict[str, str]:
        """The parameters in a request's address; one of which a part is not known is not known."""
        known = {**{name: str(value) for name, value in config.items()}, **{k: str(v) for k, v in inputs.items()}}
        filled = {name: template.format_map(Known(known)) for name, template in self.parameters.items()}
        return {name: UNKNOWN if UNKNOWN in value else value for name, value in filled.items()}

    def fill(self, body: "Body", properties: Properties, at: Place, path: str) -> None:
        """Put properties, and all that is in them, where they go."""
        for name, value in properties.items():
            here = f"{path}.{name}" if path else name
            to = self.mapping.get(NUMBERS.sub("", here))
            place = (*at, *steps(to.place)) if to else (*at, name)
            convert = to.convert if to and value != UNKNOWN else None
            self.put(body, convert(value) if convert else value, place, here, mapped=convert is None)

    def put(self, body: "Body", value: Any, place: Place, here: str, *, mapped: bool = True) -> None:
        if mapped and isinstance(value, dict):
            if place:
                body.put(place, {}, here)
            self.fill(body, value, place, here)
        elif mapped and isinstance(value, list) and any(isinstance(item, dict) for item in value):
            body.put(place, [], here)
            for number, item in enumerate(value):
                self.put(body, item, (*place, number), f"{here}.{number}")
        else:
            body.put(place, value, here)


def steps(place: str) -> Place:
    """A dotted place, step by step."""
    return tuple(int(step) if step.isdigit() else step for step in place.split(".")) if place else ()


class Known(dict[str, str]):
    """Properties for a template: what nobody says is not known."""

    def __missing__(self, key: str) -> str:
        return UNKNOWN


class Body:
    """A request's body, and where in the program each part of it comes from."""

    def __init__(self) -> None:
        self.value: dict[str, Any] = {}
        self.origins: dict[Place, str] = {}
        self.properties: list[str] = []
        """Everything that was put, as the program spells it."""

    def put(self, place: Place, value: Any, origin: str) -> None:
        """Put a value at a place; what leads there is made. An empty object or list keeps what is there."""
        node: Any = self.value
        for step, following in pairwise(place):
            node = enter(node, step, [] if isinstance(following, int) else {})
        if value in ({}, []):
            enter(node, place[-1], value)
        elif isinstance(node, list):
            node.append(value)
        else:
            node[place[-1]] = value
        self.origins.setdefault(place, origin)
        self.properties.append(origin)

    def origin(self, place: Place) -> str:
        """The property that a place comes from, or the nearest above it with the rest of the place."""
        for length in range(len(place), 0, -1):
            if place[:length] in self.origins:
                return ".".join([self.origins[place[:length]], *map(str, place[length:])])
        return ".".join(map(str, place))


def enter(node: Any, step: str | int, new: Any) -> Any:
    """What is at a step, made where nothing is."""
    if isinstance(step, int):
        if step == len(node):
            node.append(new)
        return node[step]
    return node.setdefault(step, new)


def by_name(key: str, convert: Convert = lambda item: item) -> Convert:
    """A list whose items are named by one of their properties, as the map that the API has."""

    def converted(items: Sequence[Properties]) -> dict[str, Any]:
        return {item[key]: convert({name: value for name, value in item.items() if name != key}) for item in items}

    return converted


def only(items: Sequence[Any]) -> Any:
    """A block that Terraform writes as a list and that the API takes once."""
    (item,) = items
    return item
