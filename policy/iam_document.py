"""Reading AWS policy documents. Pure."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from policy.properties import Properties, UndecidedError
from policy.resource import Resource


def document(resource: Resource) -> Any:
    """The `policy` of a resource; where a preview does not know it, what its component declares under that name.

    A document with an ARN in it is not known before the thing is made; what it allows is. When the resource is made the
    real document is judged.
    """
    try:
        return resource.properties.any("policy")
    except UndecidedError:
        declared = resource.component.any("policy")
        if declared is None:
            raise
        return declared


def statements(document: Any) -> Iterator[Properties]:
    """The statements of a policy: of its JSON text or the document itself; none of what is neither."""
    if isinstance(document, str):
        try:
            document = json.loads(document)
        except ValueError:
            return
    if not isinstance(document, Mapping):
        return
    found = Properties(document, "policy")
    if found.has("Statement.Effect"):  # a single one may stand without a list
        yield found.group("Statement")
    else:
        yield from found.groups("Statement")


def texts(statement: Properties, name: str) -> list[str]:
    """`Action`, `Resource` and the like: one string or a list of them."""
    one = statement.text(name)
    return [one] if one else list(statement.texts(name))
