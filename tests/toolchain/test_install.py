"""The order in which a tool is looked for, and what is left when a way fails or a run is interrupted."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from toolchain import cache, on_path, store
from toolchain.install import Installer, NoWayError
from toolchain.tool import DebianPackage, Download, GoModules, Match, PythonPackage, Tool, Way
from toolchain.way_error import WayError

DOWNLOAD = Download(url="https://example.org/{name}-{version}", checksums="https://example.org/sums")
BUILD = GoModules(module="m", packages={"t": "example.org/t"})
TOOL = Tool(name="t", version="1.0.0", binaries={"t": "t"}, match=Match.EXACT, ways=(DOWNLOAD, BUILD))

Outcome = str | BaseException


class Fake(Installer):
    """Ways that do what a test says, and remember that they were tried."""

    def __init__(self, outcomes: Mapping[str, Outcome], found: Callable[[Tool], on_path.Found] | None = None) -> None:
        super().__init__(find=found or nothing)
        self.outcomes = outcomes
        self.tried: list[str] = []

    def obtain(self, way: Way, tool: Tool, into: Path, go: Path | None) -> str:
        self.tried.append(way.label)
        for name in tool.binaries:
            (into / name).write_text("half of it")
        outcome = self.outcomes[way.label]
        if isinstance(outcome, BaseException):
            raise outcome
        for name in tool.binaries:
            (into / name).write_text(outcome)
        return f"made by {way.label}"

    def go(self) -> Path:
        return Path("/go")


def nothing(tool: Tool) -> on_path.Found:
    raise on_path.NotGoodEnoughError(f"no {tool.name}")


def test_a_good_one_on_path_is_used_and_linked(tmp_path: Path) -> None:
    there = tmp_path / "t"
    there.touch()
    installer = Fake({}, found=lambda _: on_path.Found({"t": there}, "1.0.0"))
    done = installer.install(TOOL)
    assert (done.source, done.new, installer.tried) == (f"PATH: {there}", False, [])
    assert cache.binary("t") == there


def test_without_one_on_path_the_official_download_comes_first() -> None:
    installer = Fake({DOWNLOAD.label: "official"})
    done = installer.install(TOOL)
    assert (installer.tried, done.source, done.new) == ([DOWNLOAD.label], f"made by {DOWNLOAD.label}", True)
    assert cache.binary("t").read_text() == "official"


def test_a_download_that_is_refused_is_followed_by_the_build() -> None:
    installer = Fake({DOWNLOAD.label: WayError("its sha256 is wrong"), BUILD.label: "built"})
    assert installer.install(TOOL).source == f"made by {BUILD.label}"
    assert cache.binary("t").read_text() == "built"


def test_the_error_names_the_tool_and_every_way_with_its_reason() -> None:
    tool = Tool(
        name="t",
        version="1.0.0",
        binaries={"t": "t"},
        match=Match.EXACT,
        ways=(DOWNLOAD, BUILD, PythonPackage(requirement="t==1", sha256=(), files={"t": "t"})),
    )
    reasons = {DOWNLOAD.label: "host down", BUILD.label: "does not compile", "Python package": "no such wheel"}
    with pytest.raises(NoWayError) as error:
        Fake({label: WayError(reason) for label, reason in reasons.items()}).install(tool)
    message = str(error.value)
    assert message.startswith("t 1.0.0: no way to get it worked")
    for label, reason in {"PATH": "no t", **reasons}.items():
        assert f"  {label}: {reason}" in message


def test_what_the_cache_has_is_not_got_again() -> None:
    Fake({DOWNLOAD.label: "official"}).install(TOOL)
    again = Fake({})
    done = again.install(TOOL)
    assert (again.tried, done.new, done.source) == ([], False, f"made by {DOWNLOAD.label}")


def test_another_version_is_another_folder_and_the_link_follows() -> None:
    Fake({DOWNLOAD.label: "old"}).install(TOOL)
    newer = Tool(name="t", version="2.0.0", binaries={"t": "t"}, match=Match.EXACT, ways=(DOWNLOAD,))
    Fake({DOWNLOAD.label: "new"}).install(newer)
    assert cache.binary("t").read_text() == "new"
    assert (store.folder(TOOL) / "t").read_text() == "old"


def test_an_interrupted_build_leaves_nothing_that_looks_complete_and_is_done_again() -> None:
    with pytest.raises(KeyboardInterrupt):
        Fake({DOWNLOAD.label: KeyboardInterrupt()}).install(TOOL)
    assert store.receipt(TOOL) is None
    with pytest.raises(cache.MissingToolError, match="make tools"):
        cache.binary("t")
    Fake({DOWNLOAD.label: "official"}).install(TOOL)
    assert cache.binary("t").read_text() == "official"


def test_what_a_killed_run_left_is_not_used(cache_root: Path) -> None:
    left = cache_root / "tools/.t-1.0.0.partial"
    left.mkdir(parents=True)
    (left / "rest").write_text("half of it")
    Fake({DOWNLOAD.label: "official"}).install(TOOL)
    assert not left.exists()
    assert not (store.folder(TOOL) / "rest").exists()


def test_a_debian_package_is_looked_for_on_path_after_it_was_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    tool = Tool(name="h", version="2.6", binaries={"h": "h"}, match=Match.AT_LEAST, ways=(DebianPackage(package="h"),))
    installed: list[str] = []

    def find(tool: Tool) -> on_path.Found:
        return on_path.Found({"h": Path("/usr/sbin/h")}, "2.6.12") if installed else nothing(tool)

    installer = Fake({}, found=find)
    monkeypatch.setattr(installer.apt, "obtain", lambda way: installed.append(way.package))
    done = installer.install(tool)
    assert (done.version, done.source, installed) == ("2.6.12", "Debian package h", ["h"])


def test_without_go_a_build_says_how_go_was_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    installer = Installer(find=nothing)

    def no_way(*_: object) -> str:
        raise WayError("example.org is unreachable")

    monkeypatch.setattr(installer, "obtain", no_way)
    with pytest.raises(NoWayError, match=r"build from Go modules: needs Go; go .*(?s:.)*Python package: example.org"):
        installer.install(TOOL)
