"""What AWS publishes about its own requests, offline: required parameters, types, lengths, enums and patterns.

boto3 itself checks neither enums nor patterns, and an emulator few of either: `gp9` is a volume type to both.
"""

import re
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ParamValidationError
from botocore.validate import ParamValidator


def check(client: Any, operation: str, parameters: dict[str, Any]) -> None:
    """Check a request's parameters.

    Args:
        client: of boto3, for the operation's service.
        operation: as boto3 spells it: `create_vpc`.

    Raises:
        ParamValidationError: with everything that is wrong.
    """
    name = client.meta.method_to_api_mapping[operation]
    shape = client.meta.service_model.operation_model(name).input_shape
    if shape is None:
        return
    report = ParamValidator().validate(parameters, shape)
    wrong = [report.generate_report()] if report.has_errors() else []
    wrong.extend(outside(shape, parameters, name))
    if wrong:
        raise ParamValidationError(report="\n".join(wrong))


def outside(shape: Any, value: Any, path: str) -> Iterator[str]:
    """What a value has that its shape's enums and patterns do not allow."""
    match shape.type_name:
        case "structure" if isinstance(value, dict):
            for name, member in shape.members.items():
                if name in value:
                    yield from outside(member, value[name], f"{path}.{name}")
        case "list" if isinstance(value, list | tuple):
            for number, item in enumerate(value):
                yield from outside(shape.member, item, f"{path}[{number}]")
        case "map" if isinstance(value, dict):
            for key, item in value.items():
                yield from outside(shape.value, item, f"{path}.{key}")
        case "string" if isinstance(value, str):
            yield from outside_text(shape, value, path)


def outside_text(shape: Any, value: str, path: str) -> Iterator[str]:
    """The same for a string."""
    if shape.enum and value not in shape.enum:
        yield f"{path}: got {value!r}; accepted: {', '.join(shape.enum)}"
    pattern = shape.metadata.get("pattern")
    # AWS writes patterns in Java's dialect; those that Python cannot read are left to AWS.
    try:
        if pattern and not re.fullmatch(pattern, value, re.DOTALL):
            yield f"{path}: got {value!r}; it does not match {pattern}"
    except re.error:
        return
