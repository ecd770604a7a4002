"""Builds a tool from Go modules pinned under toolchain/go."""

from pathlib import Path

from toolchain.tool import GoModules
from toolchain.way_error import WayError, run

MODULES = Path(__file__).parent / "go"


def command(way: GoModules, go: Path, binary: str, into: Path) -> list[str]:
    """The command that builds one binary: paths trimmed, so that every clone shares Go's build cache."""
    flags = ["-trimpath"]
    if way.tags:
        flags += ["-tags", way.tags]
    if way.ldflags:
        flags += ["-ldflags", way.ldflags]
    return [str(go), "build", *flags, "-o", str(into / binary), way.packages[binary]]


def obtain(way: GoModules, into: Path, go: Path) -> str:
    """Build a tool's binaries into a folder; where they came from, for the listing.

    Raises:
        WayError: with the end of what the compiler said.
    """
    # readonly: a build that would change go.sum is one of sources that nobody has pinned.
    # buildvcs off: the modules live in a git checkout that is not theirs.
    env = {"CGO_ENABLED": "1" if way.cgo else "0", "GOFLAGS": "-mod=readonly -buildvcs=false"}
    for binary in way.packages:
        run(command(way, go, binary, into), cwd=MODULES / way.module, env=env)
    if missing := [binary for binary in way.packages if not (into / binary).is_file()]:
        raise WayError(f"the build made no {', '.join(missing)}")
    return f"built from Go modules (toolchain/go/{way.module})"
