"""How pulumi-azure-native spells what Azure spells otherwise."""

import re
from typing import Final

WORDS: Final = re.compile(r"[^A-Za-z0-9]+")


def camel(name: str) -> str:
    """`odata.type` → `odataType`, `resource_group_name` → `resourceGroupName`, `enableRBAC` as it is."""
    first, *others = (part for part in WORDS.split(name) if part)
    return first + "".join(part[0].upper() + part[1:] for part in others)


def spellings(rest: str, attribute: str) -> frozenset[str]:
    """The names that a program may use.

    Args:
        rest: the name in Azure's API.
        attribute: the name in Azure's library, which differs by more than its case where the API's definition gives
            clients another one: `supportsHttpsTrafficOnly` is `enable_https_traffic_only`.
    """
    official, given = camel(rest), camel(attribute.rstrip("_"))
    return frozenset({official} if official.lower() == given.lower() else {official, given})
