"""Bootstrap tokens: what a machine proves with that it may join, as the API server knows them. Pure but for chance."""

import base64
import secrets
import string
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

NAMESPACE: Final = "kube-system"
LIFE: Final = timedelta(days=1)
"""kubeadm's own default."""
RENEW_BEFORE: Final = timedelta(hours=12)
"""A machine that boots gets a token that is good for at least so long."""

_ALPHABET: Final = string.ascii_lowercase + string.digits


def make() -> str:
    """A new one: `abcdef.0123456789abcdef`."""
    identity, secret = ("".join(secrets.choice(_ALPHABET) for _ in range(length)) for length in (6, 16))
    return f"{identity}.{secret}"


def name(token: str) -> str:
    """Of the Secret that makes a token good. Does not hold what is secret of it."""
    return f"bootstrap-token-{token.partition('.')[0]}"


def manifest(token: str, expires: datetime) -> dict[str, Any]:
    """The Secret; Kubernetes removes it when it has expired."""
    identity, _, secret = token.partition(".")
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name(token), "namespace": NAMESPACE},
        "type": "bootstrap.kubernetes.io/token",
        "stringData": {
            "description": "for the next worker, renewed by the masters",
            "token-id": identity,
            "token-secret": secret,
            "expiration": expires.isoformat(timespec="seconds"),
            "usage-bootstrap-authentication": "true",
            "usage-bootstrap-signing": "true",
            "auth-extra-groups": "system:bootstrappers:kubeadm:default-node-token",
        },
    }


def lasts(token: str, secret: Mapping[str, Any] | None, now: datetime) -> bool:
    """Whether `token` is the one of this Secret and is good for long enough.

    Args:
        secret: as the API server has it; None where it has none.
    """
    if secret is None:
        return False
    content = {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}
    same = f"{content['token-id']}.{content['token-secret']}" == token
    return same and datetime.fromisoformat(content["expiration"].replace("Z", "+00:00")) - now > RENEW_BEFORE
