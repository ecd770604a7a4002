"""The keys of another cluster, for a stack that goes on from its snapshot: what `make recovery-keys` wrote. Pure.

They are the stack's secret `recovery:keys` from before its first `up` on, and as long as it lives: `make adopt-keys`.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

NAMESPACE: Final = "recovery"
NAME: Final = "keys"

FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "encryption-at-rest": ("key",),
    "front-proxy-ca": ("certificate", "key"),
    "kubernetes-ca": ("certificate", "key"),
    "service-account": ("public", "key"),
}
"""Name in the secret store → fields of its JSON. Not etcd's authorities: they sign nothing that outlives members."""


class RecoveryKeysError(ValueError):
    """It is not what `make recovery-keys` writes. The message does not hold a key."""


def parse(text: str | None) -> Mapping[str, Mapping[str, str]]:
    """The keys by secret and field; none where there is no text."""
    if text is None:
        return {}
    try:
        found: Any = json.loads(text)
    except ValueError:
        raise RecoveryKeysError("recovery keys: this is not JSON; make recovery-keys writes what is needed") from None
    missing = [
        f"{name}.{field}"
        for name, fields in FIELDS.items()
        for field in fields
        if not (isinstance(found, dict) and isinstance(found.get(name), dict) and str(found[name].get(field) or ""))
    ]
    if missing:
        raise RecoveryKeysError(f"recovery keys: {', '.join(missing)} missing; make recovery-keys writes all of them")
    return {name: {field: str(found[name][field]) for field in fields} for name, fields in FIELDS.items()}
