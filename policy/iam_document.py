"""Reading AWS policy documents. Pure."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from policy.properties import Properties


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
