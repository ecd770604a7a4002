"""Properties between the engine's protobuf and Python. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from google.protobuf import json_format, struct_pb2

UNKNOWN_TEXT: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What the engine sends for a value that is not known yet (sdk/go/common/resource/plugin/rpc.go)."""
SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
"""Key that marks a special object (sdk/go/common/resource/sig)."""
SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the mark of a secret, not one
OUTPUT: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"


class Unknown:
    """A value that is not known yet."""


UNKNOWN: Final = Unknown()


def python(value: struct_pb2.Value) -> Any:
    """A value without marks of secrets and dependencies; whole numbers as int, what is not known yet as UNKNOWN."""
    kind = value.WhichOneof("kind")
    match kind:
        case "struct_value":
            return _object(value.struct_value)
        case "list_value":
            return [python(item) for item in value.list_value.values]
        case "string_value":
            return UNKNOWN if value.string_value == UNKNOWN_TEXT else value.string_value
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else number
        case "bool_value":
            return value.bool_value
        case _:
            return None


def _object(struct: struct_pb2.Struct) -> Any:
    mark = struct.fields[SIGNATURE].string_value if SIGNATURE in struct.fields else ""
    if mark in (SECRET, OUTPUT):
        return python(struct.fields["value"]) if "value" in struct.fields else UNKNOWN
    return {name: python(item) for name, item in struct.fields.items()}


def mapping(struct: struct_pb2.Struct) -> dict[str, Any]:
    """A resource's properties, without those of the engine itself, and without nulls."""
    values = {name: python(value) for name, value in struct.fields.items() if not name.startswith("__")}
    return {name: value for name, value in values.items() if value is not None}


def has_unknown(value: Any) -> bool:
    """Whether any part of a value is not known yet."""
    if isinstance(value, dict):
        return any(map(has_unknown, value.values()))
    if isinstance(value, list):
        return any(map(has_unknown, value))
    return value is UNKNOWN


def struct(properties: Mapping[str, Any], secrets: frozenset[str] = frozenset()) -> struct_pb2.Struct:
    """Properties for the engine; those named in `secrets` are marked."""
    marked = {
        name: {SIGNATURE: SECRET, "value": value} if name in secrets else value for name, value in properties.items()
    }
    return json_format.ParseDict(marked, struct_pb2.Struct())


def add(
    properties: struct_pb2.Struct, more: Mapping[str, Any], secrets: frozenset[str] = frozenset()
) -> struct_pb2.Struct:
    """A copy of the engine's own properties, marks included, with some more; those named in `secrets` are marked."""
    whole = struct_pb2.Struct()
    whole.CopyFrom(properties)
    whole.MergeFrom(struct(more, secrets))
    return whole
