"""Property bags between the engine's messages and dictionaries."""

from typing import Any

from google.protobuf import json_format, struct_pb2


def plain(properties: Any) -> dict[str, Any]:
    """A message as a dictionary."""
    decoded: dict[str, Any] = whole(json_format.MessageToDict(properties))
    return decoded


def struct(properties: Any) -> struct_pb2.Struct:
    """A dictionary as a message."""
    message = struct_pb2.Struct()
    message.update(properties)
    return message


def whole(value: Any) -> Any:
    """Numbers without a fraction as integers: the engine's have none of their own."""
    if isinstance(value, dict):
        return {name: whole(item) for name, item in value.items()}
    if isinstance(value, list):
        return [whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
