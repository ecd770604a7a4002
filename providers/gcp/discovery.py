"""What Google publishes about its own requests, offline: the discovery documents in google-api-python-client.

Required, read-only, enums, patterns, types and formats are in them; what a description says in other words is not.
"""

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import googleapiclient.discovery_cache

from providers.stand_in import UNKNOWN

DOCUMENTS: Final = Path(googleapiclient.discovery_cache.__file__).parent / "documents"

Place = tuple[str | int, ...]
"""Where something is in a request."""
Schema = Mapping[str, Any]
Wrong = tuple[Place, str]
"""Where, and what."""

REQUIRED: Final = re.compile(r"required[.:]", re.IGNORECASE)
OUTPUT_ONLY: Final = re.compile(r"\[?output[ -]only[\].]", re.IGNORECASE)
"""How descriptions begin that say what the documents have no mark for everywhere."""


@dataclass(frozen=True)
class Method:
    """A request that a document knows."""

    document: str
    """`container.v1`"""
    name: str
    """`projects.locations.clusters.create`"""

    def __str__(self) -> str:
        return f"{self.document} {self.name}"


@cache
def document(name: str) -> Mapping[str, Any]:
    """A discovery document by name and version."""
    found: Mapping[str, Any] = json.loads((DOCUMENTS / f"{name}.json").read_text())
    return found


def described(method: Method) -> Mapping[str, Any]:
    """A method as its document describes it.

    Raises:
        KeyError: the document lacks it.
    """
    *resources, name = method.name.split(".")
    node = document(method.document)
    for resource in resources:
        node = node["resources"][resource]
    found: Mapping[str, Any] = node["methods"][name]
    return found


def check_body(method: Method, body: Any) -> Iterator[Wrong]:
    """What a request's body has that the API would not take, and lacks that it needs."""
    request = described(method).get("request")
    if request is None:
        if body:
            yield (next(iter(body)),), f"{method} has no body"
        return
    yield from check(method, {"$ref": request["$ref"]}, body, ())


def check_parameters(method: Method, given: Mapping[str, str]) -> Iterator[Wrong]:
    """The same for what is in the request's address."""
    known = described(method).get("parameters", {})
    for name, parameter in known.items():
        if parameter.get("required") and name not in given:
            yield (name,), f"missing; {method} needs it"
    for name, value in given.items():
        if name not in known:
            yield (name,), f"{method} has no parameter {name}"
        else:
            yield from check(method, known[name], value, (name,))


def check(method: Method, schema: Schema, value: Any, at: Place) -> Iterator[Wrong]:
    """What is wrong with a value by its schema."""
    if value == UNKNOWN:
        return
    if "$ref" in schema:
        schema = document(method.document)["schemas"][schema["$ref"]]
    judge = TYPES.get(schema.get("type", "any"))
    if judge:
        yield from judge(method, schema, value, at)


def check_object(method: Method, schema: Schema, value: Any, at: Place) -> Iterator[Wrong]:
    if not isinstance(value, dict):
        yield at, f"got {value!r}; an object is needed"
        return
    properties = schema.get("properties", {})
    others = schema.get("additionalProperties")
    for name, item in value.items():
        if name in properties:
            if read_only(properties[name]):
                yield (*at, name), "the cloud sets it; leave it out"
            yield from check(method, properties[name], item, (*at, name))
        elif others:
            yield from check(method, others, item, (*at, name))
        else:
            yield (*at, name), f"no such property of {schema.get('id', 'it')}; it has {', '.join(sorted(properties))}"
    for name, item in properties.items():
        if name not in value and required(item, method):
            yield (*at, name), f"missing; {schema.get('id')} needs it"


def check_array(method: Method, schema: Schema, value: Any, at: Place) -> Iterator[Wrong]:
    if not isinstance(value, list):
        yield at, f"got {value!r}; a list is needed"
        return
    for number, item in enumerate(value):
        yield from check(method, schema["items"], item, (*at, number))


def check_string(method: Method, schema: Schema, value: Any, at: Place) -> Iterator[Wrong]:
    whole = schema.get("format") in ("int64", "uint64") and isinstance(value, int) and not isinstance(value, bool)
    if not isinstance(value, str) and not whole:
        yield at, f"got {value!r}; a string is needed"
        return
    text = str(value)
    accepted = schema.get("enum")
    if accepted and text not in accepted:
        yield at, f"got {text!r}; accepted: {', '.join(accepted)}"
    pattern = schema.get("pattern")
    if pattern and not re.fullmatch(pattern, text):
        yield at, f"got {text!r}; it does not match {pattern}"
    format_ = FORMATS.get(schema.get("format", ""))
    if format_ and not format_(text):
        yield at, f"got {text!r}; it is no {schema['format']}"


def check_integer(method: Method, schema: Schema, value: Any, at: Place) -> Iterator[Wrong]:
    low, high = RANGES.get(schema.get("format", ""), RANGES["int32"])
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        yield at, f"got {value!r}; a whole number from {low} to {high} is needed"


def check_number(method: Method, schema: Schema, value: Any, at: Place) -> Iterator[Wrong]:
    if not isinstance(value, int | float) or isinstance(value, bool):
        yield at, f"got {value!r}; a number is needed"


def check_boolean(method: Method, schema: Schema, value: Any, at: Place) -> Iterator[Wrong]:
    if not isinstance(value, bool):
        yield at, f"got {value!r}; accepted: true, false"


def read_only(schema: Schema) -> bool:
    """Whether only the cloud sets a property."""
    return bool(schema.get("readOnly") or OUTPUT_ONLY.match(schema.get("description", "")))


def required(schema: Schema, method: Method) -> bool:
    """Whether a property must be there."""
    marked = schema.get("annotations", {}).get("required", ())
    here = f"{method.document.split('.')[0]}.{method.name}"
    return here in marked or bool(REQUIRED.match(schema.get("description", "")))


def is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except ValueError:
        return False
    return True


def matches(pattern: str) -> Callable[[str], bool]:
    return lambda text: re.fullmatch(pattern, text) is not None


FORMATS: Final[Mapping[str, Callable[[str], bool]]] = {
    "google-duration": matches(r"-?\d+(\.\d{1,9})?s"),
    "google-datetime": matches(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)"),
    "google-fieldmask": matches(r"[\w.,]+"),
    "byte": is_base64,
    "int64": matches(r"-?\d{1,19}"),
    "uint64": matches(r"\d{1,20}"),
}

RANGES: Final = {"int32": (-(2**31), 2**31 - 1), "uint32": (0, 2**32 - 1)}

TYPES: Final = {
    "object": check_object,
    "array": check_array,
    "string": check_string,
    "integer": check_integer,
    "number": check_number,
    "boolean": check_boolean,
}
