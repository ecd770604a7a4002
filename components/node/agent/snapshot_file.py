"""A snapshot as a file on a machine: what is in it, and whether it is whole.

`etcdutl snapshot status` opens a file whose pages were changed or whose end is missing without a complaint; what tells
is the sha256 of everything before it that etcd put at the end of the stream.
"""

import hashlib
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CHUNK: Final = 1024 * 1024
DIGEST_BYTES: Final = 32
STATUS_SECONDS: Final = 600
"""It reads the whole file."""

LOW_PRIORITY: Final = ("nice", "-n", "19", "ionice", "-c", "3")
"""Nothing that proves or keeps data may slow down what serves it."""


class DamagedError(Exception):
    """The file is no whole snapshot; says why."""


@dataclass(frozen=True)
class Contents:
    """What a whole snapshot holds."""

    sha256: str
    bytes: int
    revision: int
    keys: int
    etcd: str
    """Version of the storage."""


def inspect(etcdutl: Path, path: Path) -> Contents:
    """Read and verify a snapshot.

    Raises:
        DamagedError: it is not whole.
    """
    sha256 = verified(path)
    try:
        answer = subprocess.run(
            [*LOW_PRIORITY, str(etcdutl), "snapshot", "status", str(path), "--write-out=json"],
            capture_output=True, text=True, check=False, timeout=STATUS_SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise DamagedError(f"{path.name}: etcdutl snapshot status did not end in {STATUS_SECONDS} s") from None
    if answer.returncode != 0:
        raise DamagedError(f"{path.name}: etcdutl snapshot status: {answer.stderr.strip()[-300:]}")
    status = json.loads(answer.stdout)
    return Contents(sha256, path.stat().st_size, status["revision"], status["totalKey"], status.get("version", ""))


def verified(path: Path) -> str:
    """The file's sha256, when what etcd wrote at its end fits the rest.

    Raises:
        DamagedError: it does not: bytes are missing or were changed.
    """
    size = path.stat().st_size
    if size <= DIGEST_BYTES:
        raise DamagedError(f"{path.name}: {size} bytes are no snapshot")
    digest, left = hashlib.sha256(), size - DIGEST_BYTES
    with path.open("rb") as file:
        while left:
            chunk = file.read(min(CHUNK, left))
            digest.update(chunk)
            left -= len(chunk)
        trailer = file.read()
    if digest.digest() != trailer:
        raise DamagedError(
            f"{path.name}: bytes are missing or were changed: etcd's own checksum at its end does not fit"
        )
    digest.update(trailer)
    return digest.hexdigest()
