"""Holds a resource's properties against a model of Azure's. Pure."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from providers.azure_native import models, shapes
from providers.published import Problem
from providers.stand_in import UNKNOWN

LISTED_IDENTITIES: Final = "userAssignedIdentities"
"""A mapping with nothing in its values, which pulumi-azure-native takes as a list."""


def check(given: Mapping[str, Any], model: Any, path: str = "") -> Iterator[Problem]:
    """Everything that is wrong with a group of properties."""
    itself, known = resolved(given, model)
    if itself is None:
        kinds = ", ".join(models.subtypes(model))
        yield Problem(path, f"says that it is none of the kinds that Azure has; accepted: {kinds}")
        return
    by_name = {name: found for found in known.values() for name in found.names}
    for name, value in given.items():
        where = f"{path}.{name}" if path else name
        found = by_name.get(name)
        if found is None:
            yield Problem(where, f"no such property; accepted: {', '.join(sorted(by_name))}")
        elif value == UNKNOWN or value is None:
            continue
        elif found.read_only:
            yield Problem(where, "read-only: Azure sets it")
        elif name == LISTED_IDENTITIES and isinstance(value, list):
            yield from values(value, shapes.Sequence(shapes.Text()), where)
        else:
            yield from values(value, found.shape, where)
    for found in known.values():
        if found.required and not found.read_only and not found.names & set(given):
            yield Problem(path, f"{' or '.join(sorted(found.names))} is required")


def resolved(given: Mapping[str, Any], model: Any) -> tuple[Any, shapes.Properties]:
    """The model that these properties are of, and what it may have; no model where its kind is unknown to Azure."""
    known = models.properties(model)
    for found in known.values():
        said = next((given[name] for name in found.names if name in given), None)
        if found.constant and isinstance(said, str):
            model = models.subtype(model, said)
            if model is None:
                return None, {}
            known = models.properties(model)
            break
    return model, known if models.BAG in given else flat(known)


def flat(known: shapes.Properties) -> shapes.Properties:
    """Properties with those of the bag among them."""
    for attribute, found in known.items():
        if models.BAG in found.names and isinstance(found.shape, shapes.Object):
            outer = {name: other for name, other in known.items() if name != attribute}
            # Of two with one name, such as the `type` of a node pool, a program means the one that it may set.
            azures = {name: other for name, other in outer.items() if other.read_only}
            return {
                **azures,
                **models.properties(found.shape.model),
                **{n: o for n, o in outer.items() if n not in azures},
            }
    return known


def values(value: Any, shape: shapes.Shape, path: str) -> Iterator[Problem]:
    """Everything that is wrong with one value."""
    if value == UNKNOWN:
        return
    match shape, value:
        case shapes.Object(model), dict():
            yield from check(value, model, path)
        case shapes.Sequence(item), list():
            for number, one in enumerate(value):
                yield from values(one, item, f"{path}[{number}]")
        case shapes.Dictionary(inner), dict():
            for key, one in value.items():
                yield from values(one, inner, f"{path}.{key}")
        case shapes.Text(), str():
            yield from text(value, shape, path)
        case shapes.Number(), int() | float() if not isinstance(value, bool):
            yield from number_within(value, shape, path)
        case (shapes.Flag(), bool()) | (shapes.Anything(), _):
            return
        case _:
            yield Problem(path, f"got {value!r}; it takes {words(shape)}")


def text(value: str, shape: shapes.Text, path: str) -> Iterator[Problem]:
    if shape.accepted and value not in shape.accepted:
        yield Problem(path, f"got {value!r}; accepted: {', '.join(shape.accepted)}")
    if shape.pattern and not re.search(shape.pattern, value):
        yield Problem(path, f"got {value!r}; it does not match {shape.pattern}")
    if shape.shortest is not None and len(value) < shape.shortest:
        yield Problem(path, f"got {value!r}; {shape.shortest} characters at least")
    if shape.longest is not None and len(value) > shape.longest:
        yield Problem(path, f"got {value!r}; {shape.longest} characters at most")


def number_within(value: float, shape: shapes.Number, path: str) -> Iterator[Problem]:
    if shape.whole and not float(value).is_integer():
        yield Problem(path, f"got {value}; a whole number")
    if shape.least is not None and value < shape.least:
        yield Problem(path, f"got {value}; {shape.least} at least")
    if shape.most is not None and value > shape.most:
        yield Problem(path, f"got {value}; {shape.most} at most")


def words(shape: shapes.Shape) -> str:
    """What a shape takes."""
    match shape:
        case shapes.Object():
            return "a group of properties"
        case shapes.Sequence():
            return "a list"
        case shapes.Dictionary():
            return "a mapping"
        case shapes.Number():
            return "a number"
        case shapes.Flag():
            return "true or false"
    return "text"
