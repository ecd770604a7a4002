"""What is wrong with a stack's settings, in words: a line for each: its key, what it got, what is accepted."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from components.setting_group import Group


def lines(error: ValidationError, settings: type[Group], namespace: str) -> list[str]:
    """One line per problem, such as `kube-ha:etcd.members: got 'four'; input should be a valid integer.`

    Args:
        error: what pydantic found.
        settings: the group at the top.
        namespace: of the stack's keys.
    """
    return [line(problem, settings, namespace) for problem in error.errors()]


def line(problem: Any, settings: type[Group], namespace: str) -> str:
    """One problem, as pydantic tells it, in the words of a stack file."""
    key = ".".join(str(part) for part in problem["loc"])
    said = words(problem, settings)
    return f"{namespace}:{key}: {said}." if key else f"{namespace}:{said}."  # a rule over several keys names its own


def words(problem: Any, settings: type[Group]) -> str:
    """What it got and what is accepted."""
    path = problem["loc"]
    message = str(problem["msg"]).removeprefix("Value error, ")
    match problem["type"]:
        case "missing":
            return f"missing; {accepted(path, settings)}"
        case "extra_forbidden":
            return f"no such setting; accepted: {names(settings, path[:-1])}"
        case _ if isinstance(problem["input"], dict | BaseModel):
            return message
        case "model_type":
            message = f"it takes settings of its own: {names(settings, path)}"
        case "dict_type":
            message = "it takes names with a value each"
        case "tuple_type":
            message = f"it takes a list, such as [{problem['input']}]"
        case "too_short":
            message = "it takes one at least; leave it out for the default"
        case "ip_v4_network":
            message = "it takes a range of IPv4 by its first address, such as 10.77.0.0/16"
    return f"got {problem['input']!r}; {message[0].lower()}{message[1:]}"


def accepted(path: tuple[int | str, ...], settings: type[Group]) -> str:
    """What a required setting takes."""
    field = fields(group_at(settings, path[:-1])).get(str(path[-1]))
    if field is not None and isinstance(field.annotation, type) and issubclass(field.annotation, StrEnum):
        return f"accepted: {', '.join(field.annotation)}"
    return "it has no default"


def names(settings: type[Group], path: tuple[int | str, ...]) -> str:
    """The names of the settings in the group at `path`."""
    return ", ".join(sorted(fields(group_at(settings, path))))


def group_at(settings: type[Group], path: tuple[int | str, ...]) -> type[Group] | None:
    """The group of settings at `path`; None where a plain value is."""
    group: type[Group] | None = settings
    for part in path:
        field = fields(group).get(str(part))
        annotations = [] if field is None else [field.annotation, *getattr(field.annotation, "__args__", ())]
        group = next((one for one in annotations if isinstance(one, type) and issubclass(one, Group)), None)
    return group


def fields(group: type[Group] | None) -> Mapping[str, FieldInfo]:
    """The settings of a group by their name in a stack file."""
    return {} if group is None else {str(field.alias): field for field in group.model_fields.values()}
