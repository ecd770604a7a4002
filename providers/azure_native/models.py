"""Reads the models that Azure's management libraries ship: property names, which are required, which only Azure sets,
and what their values may be.
"""

import datetime
import sys
import types
import typing
from enum import Enum
from functools import cache
from importlib import import_module
from typing import Any, Final

from providers.azure_native import shapes
from providers.azure_native.naming import spellings

BAG: Final = "properties"
"""Where Azure's API keeps what is a resource's own; pulumi-azure-native shows it flat for most of them."""


@cache
def properties(model: Any) -> shapes.Properties:
    """The properties of a model, its parents' included."""
    return older(model) if hasattr(model, "_attribute_map") else newer(model)


def newer(model: Any) -> shapes.Properties:
    """Of a library made from TypeSpec: fields, with their types as annotations."""
    hints = typing.get_type_hints(model, localns={"_models": models_beside(model)})
    found = {}
    for parent in reversed(model.__mro__):
        for attribute, field in vars(parent).items():
            if type(field).__name__ == "_RestField":
                hint = hints[attribute]
                found[attribute] = shapes.Property(
                    names=spellings(field._rest_name_input or attribute, attribute),
                    shape=shape(hint),
                    required=type(None) not in typing.get_args(hint),
                    read_only=field._visibility == ["read"],
                    constant=field._is_discriminator,
                )
    return found


def older(model: Any) -> shapes.Properties:
    """Of a library made from Swagger: maps, with enums in the constructor's annotations only."""
    beside = models_beside(model)
    hints = typing.get_type_hints(model.__init__, localns={"_models": beside})
    discriminators = {name for parent in model.__mro__ for name in getattr(parent, "_subtype_map", {})}
    found = {}
    for attribute, mapped in model._attribute_map.items():
        rules = model._validation.get(attribute, {})
        rest = mapped["key"].replace("\\.", "\0").split(".")[-1].replace("\0", ".")
        if not rest:
            continue  # what Azure sends beyond its own definitions
        found[attribute] = shapes.Property(
            names=spellings(rest, attribute),
            shape=narrowed(shape_of_name(mapped["type"], beside), accepted(hints.get(attribute)), rules),
            required=rules.get("required", False) or rules.get("constant", False),
            read_only=rules.get("readonly", False),
            constant=attribute in discriminators,
        )
    return found


def subtype(model: Any, value: str) -> Any:
    """The model that the value of its discriminator makes of it; None where there is none, itself where it has none."""
    if hasattr(model, "_attribute_map"):
        kinds = {name: kind for names in getattr(model, "_subtype_map", {}).values() for name, kind in names.items()}
        if not kinds:
            return model
        return getattr(models_beside(model), kinds[value]) if value in kinds else None
    kinds = getattr(model, "__mapping__", {})
    return kinds.get(value) if kinds else model


def subtypes(model: Any) -> tuple[str, ...]:
    """The values that a model's discriminator may have."""
    if hasattr(model, "_attribute_map"):
        return tuple(name for names in getattr(model, "_subtype_map", {}).values() for name in names)
    return tuple(getattr(model, "__mapping__", {}))


def models_beside(model: Any) -> Any:
    """The package of models that a model is in."""
    return import_module(sys.modules[model.__module__].__package__ or "")


def shape(hint: Any) -> shapes.Shape:
    """The shape that a type annotation says."""
    arguments = [argument for argument in typing.get_args(hint) if argument is not type(None)]
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        choices = accepted(hint)
        return shapes.Text(accepted=choices) if choices else shape(arguments[0])
    if origin is list:
        return shapes.Sequence(shape(arguments[0]))
    if origin is dict:
        return shapes.Dictionary(shape(arguments[1]))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return shapes.Text(accepted=tuple(str(member.value) for member in hint))
    return plain(hint)


def plain(hint: Any) -> shapes.Shape:
    """The shape of a single class."""
    if typing.get_origin(hint) is typing.Literal:
        return shapes.Text(accepted=tuple(str(value) for value in typing.get_args(hint)))
    if hint is bool:
        return shapes.Flag()
    if hint in (int, float):
        return shapes.Number(whole=hint is int)
    if hint in (str, bytes, datetime.datetime, datetime.date, datetime.time, datetime.timedelta):
        return shapes.Text()
    return shapes.Object(hint) if hasattr(hint, "_attr_to_rest_field") or is_model(hint) else shapes.Anything()


def is_model(hint: Any) -> bool:
    """Whether a class is one of a library's models."""
    return isinstance(hint, type) and ".models" in hint.__module__ and hint.__module__.startswith("azure.mgmt.")


def accepted(hint: Any) -> tuple[str, ...]:
    """The values of the enum in an annotation; none where it has no enum."""
    for argument in typing.get_args(hint):
        if isinstance(argument, type) and issubclass(argument, Enum):
            return tuple(str(member.value) for member in argument)
    return ()


def shape_of_name(name: str, beside: Any) -> shapes.Shape:
    """The shape that an older library writes as text: `[str]`, `{Model}`."""
    if name.startswith("["):
        return shapes.Sequence(shape_of_name(name[1:-1], beside))
    if name.startswith("{"):
        return shapes.Dictionary(shape_of_name(name[1:-1], beside))
    if name == "bool":
        return shapes.Flag()
    if name in ("int", "long", "float"):
        return shapes.Number(whole=name != "float")
    if name == "object":
        return shapes.Anything()
    found = getattr(beside, name, None)
    return shapes.Object(found) if is_model(found) else shapes.Text()


def narrowed(wide: shapes.Shape, choices: tuple[str, ...], rules: dict[str, Any]) -> shapes.Shape:
    """A shape with what an older library says of its values beside."""
    match wide:
        case shapes.Text():
            return shapes.Text(
                accepted=choices,
                pattern=rules.get("pattern"),
                shortest=rules.get("min_length"),
                longest=rules.get("max_length"),
            )
        case shapes.Number(whole=whole):
            return shapes.Number(whole=whole, least=rules.get("minimum"), most=rules.get("maximum"))
    return wide
