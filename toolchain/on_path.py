"""Looks for tools on PATH and asks them for their version."""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from toolchain import cache
from toolchain.tool import Match, Tool, good_enough, version_in

ELF = b"\x7fELF"
# Debian leaves these out of an ordinary user's PATH.
SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")


@dataclass(frozen=True)
class Found:
    """A good enough tool: where its binaries are, and its version ("" where none was asked for)."""

    binaries: Mapping[str, Path]
    version: str


class NotGoodEnoughError(Exception):
    """What PATH has will not do; the message says why."""


def search_path() -> str:
    """PATH without the toolchain's own links, with the system's folders for administrators."""
    own = cache.bin_dir()
    folders = [folder for folder in os.environ.get("PATH", "").split(os.pathsep) if folder and Path(folder) != own]
    return os.pathsep.join([*folders, *(folder for folder in SYSTEM_FOLDERS if folder not in folders)])


def printed_version(command: list[str]) -> str | None:
    """The version that a program prints when asked, or None where it prints none within 10 s."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False, errors="replace")
    except (OSError, subprocess.TimeoutExpired):
        return None
    return version_in(done.stdout) or version_in(done.stderr)


def find(tool: Tool, ask: Callable[[list[str]], str | None] = printed_version) -> Found:
    """The tool on PATH.

    Raises:
        NotGoodEnoughError: it is not there, or not good enough.
    """
    if tool.match is Match.NEVER:
        raise NotGoodEnoughError("not asked: programs of other projects have these names")
    first = next(iter(tool.binaries))
    found = {first: located(first)}
    for name in [*tool.binaries, *tool.beside]:
        found[name] = located(name) if tool.match is Match.ANY else neighbour(found[first], name)
    version = None if tool.match is Match.ANY else ask([str(found[first]), *tool.asks])
    if not good_enough(tool, version):
        raise NotGoodEnoughError(f"{found[first]} is {version or 'of no known version'}, want {wanted(tool)}")
    if tool.match is Match.EXACT and not is_program(found[first]):
        raise NotGoodEnoughError(f"{found[first]} is a script, which cannot be copied into a machine")
    return Found(binaries={name: found[name] for name in tool.binaries}, version=version or "")


def wanted(tool: Tool) -> str:
    """What would be good enough, for a message."""
    return f"{tool.match} {tool.version}" if tool.match is not Match.ANY else Match.ANY.value


def located(name: str) -> Path:
    """The first executable of that name."""
    path = shutil.which(name, path=search_path())
    if path is None:
        raise NotGoodEnoughError(f"no {name}")
    return Path(path)


def neighbour(first: Path, name: str) -> Path:
    """The executable `name` of the same installation as `first`: beside it, or beside what it is a link to."""
    for folder in (first.parent, first.resolve().parent):
        if os.access(folder / name, os.X_OK):
            return folder / name
    raise NotGoodEnoughError(f"{first} has no {name} beside it")


def is_program(path: Path) -> bool:
    """Whether the file is a program and not a script around one."""
    with path.open("rb") as file:
        return file.read(len(ELF)) == ELF
