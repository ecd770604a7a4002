"""The agent's Python dependencies, as one archive for the machines' Python."""

import gzip
import hashlib
import platform
import re
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Final

from toolchain.image.command import run

REQUIRED: Final = ("cryptography", "pydantic")
"""What components/node imports; the architecture document says what it may."""

PYTHON: Final = "3.11"
"""Debian 12's."""

PLATFORM: Final = f"{platform.machine()}-manylinux_2_28"
"""Wheels for a C library as old as this or older; Debian 12 has 2.36."""

MODIFIED: Final = 0

ARCHIVE: Final = "libraries.tar.gz"


def locked(lock: str, required: tuple[str, ...] = REQUIRED) -> str:
    """The part of a requirements file with hashes that `required` and everything they need make up.

    Each requirement says in its `# via` comment who needs it.

    Raises:
        ValueError: one that is required is not in the file.
    """
    blocks = {block.split("==")[0]: block for block in re.findall(r"^[\w.-]+==(?:.*\n)(?:[ \t]+.*\n?)*", lock, re.M)}
    if absent := sorted(set(required) - blocks.keys()):
        raise ValueError(f"requirements.lock: {', '.join(absent)} not in it; it has {', '.join(blocks)}")
    needed_by = {name: set(re.findall(r"#(?: +via)? +([\w.-]+)\b", block)) for name, block in blocks.items()}
    chosen = set(required)
    while more := {name for name, by in needed_by.items() if by & chosen} - chosen:
        chosen |= more
    return "".join(blocks[name] for name in sorted(chosen))


def write(requirements: str, archive: Path) -> None:
    """Install `requirements` and write them as a tar.gz to `archive`.

    Raises:
        ImageError: uv failed.
    """
    with tempfile.TemporaryDirectory(dir=archive.parent) as folder:
        listed = Path(folder) / "requirements.txt"
        listed.write_text(requirements)
        target = Path(folder) / "libraries"
        run(
            sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--require-hashes",
            "--target", target, "--python-version", PYTHON, "--python-platform", PLATFORM, "--only-binary", ":all:",
            "--link-mode", "copy", "--requirements", listed,
        )  # fmt: skip
        pack(target, archive)


def pack(folder: Path, archive: Path) -> None:
    """A tar.gz of the files of a folder that is the same for the same files."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and belongs(path.relative_to(folder)))
    with (
        archive.open("wb") as opened,
        gzip.GzipFile(filename="", fileobj=opened, mode="wb", mtime=MODIFIED) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for path in files:
            member = tarfile.TarInfo(str(path.relative_to(folder)))
            member.size = path.stat().st_size
            member.mode = 0o755 if path.suffix == ".so" else 0o644
            member.mtime = MODIFIED
            with path.open("rb") as content:
                tar.addfile(member, content)


def belongs(path: Path) -> bool:
    """Whether a file that the installation wrote is part of the libraries: not its caches, scripts and notes."""
    return not (
        path.parts[0] in {"bin", ".lock"}
        or "__pycache__" in path.parts
        or path.name in {"direct_url.json", "uv_cache.json", "INSTALLER", "RECORD", "REQUESTED"}
    )


def fingerprint(archive: Path) -> str:
    """sha256 of the archive: its name on machines."""
    with archive.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
