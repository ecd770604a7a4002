"""The agent's Python dependencies for the machines of a cloud, its SDK among them: an artifact of its own.

Machines of the local cloud have theirs in their image; those of a cloud fetch this from the stack's bucket.
"""

import hashlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from toolchain import artifacts, cache
from toolchain.artifacts import Artifact
from toolchain.image import libraries

LOCK_FILE: Final = Path(__file__).parents[1] / "requirements.lock"

SDKS: Final[Mapping[str, tuple[str, ...]]] = {"aws": ("boto3",)}
"""Cloud → what its agent imports beside what every agent does."""

ROLES: Final = ("master", "member")


def load(cloud: str) -> Artifact:
    """What was built for the locked versions.

    Raises:
        MissingArtifactsError: nothing was; the message says which command builds it.
    """
    archive = artifacts.made(place(cloud), cloud)
    digest = libraries.fingerprint(archive)
    return Artifact(
        name=f"agent-libraries-{cloud}",
        version=digest[:12],
        source=archive,
        sha256=digest,
        path=f"/opt/kube-ha/libraries/{digest}",
        executable=False,
        roles=ROLES,
    )


def build(cloud: str) -> Artifact:
    """Build it if it is not there.

    Raises:
        ImageError: the packages could not be installed.
    """
    archive = place(cloud)
    if not archive.exists():
        archive.parent.mkdir(parents=True, exist_ok=True)
        fresh = archive.with_suffix(".new")
        libraries.write(requirements(cloud), fresh)
        fresh.replace(archive)
    return load(cloud)


def place(cloud: str) -> Path:
    """Where the archive is: named by what goes into it."""
    inputs = hashlib.sha256(f"{requirements(cloud)}{libraries.PLATFORM}".encode()).hexdigest()
    return cache.root() / "libraries" / f"{cloud}-{inputs[:16]}.tar.gz"


def requirements(cloud: str) -> str:
    """The part of the lock file that its agent needs."""
    return libraries.locked(LOCK_FILE.read_text(), (*libraries.REQUIRED, *SDKS[cloud]))


if __name__ == "__main__":
    for name in sys.argv[1:] or SDKS:
        print(build(name).source)
