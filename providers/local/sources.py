"""Which version of this program runs."""

import hashlib
from pathlib import Path


def fingerprint() -> str:
    """Of all modules of this folder as they are on disk now; of a folder that is gone, empty."""
    digest = hashlib.sha256()
    files = sorted(Path(__file__).parent.glob("*.py"))
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest() if files else ""
