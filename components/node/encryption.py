"""Encryption of what is secret before it reaches etcd, its disk and its snapshots."""

import base64
import binascii
from typing import Any, Final

KEY_BYTES: Final = 32
"""What secretbox (XSalsa20 and Poly1305) takes."""


def render(key: str) -> dict[str, Any]:
    """The API server's EncryptionConfiguration for a base64 key of 32 bytes.

    Raises:
        ValueError: the key is not base64 or has another length. The message does not hold the key.
    """
    try:
        length = len(base64.b64decode(key, validate=True))
    except binascii.Error:
        raise ValueError("encryption-at-rest: the key is not base64; give the base64 of 32 random bytes") from None
    if length != KEY_BYTES:
        raise ValueError(f"encryption-at-rest: the key has {length} bytes; it takes {KEY_BYTES}")
    return {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "EncryptionConfiguration",
        "resources": [
            {
                "resources": ["secrets"],
                "providers": [
                    {"secretbox": {"keys": [{"name": "key1", "secret": key}]}},
                    # Reads what a cluster wrote before it encrypted; nothing is written by it.
                    {"identity": {}},
                ],
            }
        ],
    }
