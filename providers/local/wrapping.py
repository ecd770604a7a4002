"""The local cloud's key service: machines wrap what only its owner can unwrap, as with a cloud's KMS.

The key is a file that only root of this host reads and that no machine sees. Who can read that file can unwrap.
"""

import secrets
import threading
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from providers.local.objects import write_atomically

KEY_BYTES = 32
NONCE_BYTES = 12
"""What AES-GCM takes; random nonces are safe for far more messages (2^32) than there are versions of keys."""


class WrappingError(ValueError):
    """What was to be unwrapped was not wrapped by this key, or was changed since."""


class Wrapping:
    """AES-256-GCM with the key in `file`, which is made when it is first needed."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()

    def wrap(self, content: bytes) -> bytes:
        """The content, readable only by `unwrap`."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + AESGCM(self._key()).encrypt(nonce, content, None)

    def unwrap(self, wrapped: bytes) -> bytes:
        """The content.

        Raises:
            WrappingError: it was wrapped by another key, or damaged.
        """
        try:
            return AESGCM(self._key()).decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], None)
        except (InvalidTag, ValueError):
            raise WrappingError(f"not wrapped by {self._file}, or damaged") from None

    def _key(self) -> bytes:
        with self._lock:
            if not self._file.exists():
                write_atomically(self._file, secrets.token_hex(KEY_BYTES), scratch=self._file.parent)
            return bytes.fromhex(self._file.read_text())
