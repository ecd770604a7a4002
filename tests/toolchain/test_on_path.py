"""What is good enough on PATH."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolchain import cache, on_path
from toolchain.tool import Match, Tool, good_enough, version_in

EXACT = Tool(name="t", version="1.37.2", binaries={"t": "t"}, match=Match.EXACT)
AT_LEAST = Tool(name="t", version="1.37.2", binaries={"t": "t"}, match=Match.AT_LEAST)
ANY = Tool(name="t", version="any", binaries={"t": "t"}, match=Match.ANY)
VERSIONS = st.tuples(st.integers(0, 3), st.integers(0, 50), st.integers(0, 20))


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH."""
    folder = tmp_path / "path"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(on_path, "SYSTEM_FOLDERS", ())
    return folder


def program(folder: Path, name: str = "t", content: bytes = on_path.ELF) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    (folder / name).chmod(0o755)
    return folder / name


@pytest.mark.parametrize(
    ("printed", "version"),
    [
        ("Kubernetes v1.37.2", "1.37.2"),
        ("Client Version: v1.32.3\nKustomize Version: v5.5.0", "1.32.3"),
        ("v3.259.0", "3.259.0"),
        ("etcd Version: 3.7.3\nGit SHA: Not provided", "3.7.3"),
        ("containerd github.com/containerd/containerd/v2 2.4.2 ", "2.4.2"),
        ("runc version 1.5.2\nspec: 1.3.0", "1.5.2"),
        ("CoreDNS-1.15.0\nlinux/amd64, go1.26.8, ", "1.15.0"),
        ("go version go1.26.8 linux/amd64", "1.26.8"),
        ("HAProxy version 2.6.12-1+deb12u2 2023/12/16 - https://haproxy.org/", "2.6.12"),
        ("Keepalived v2.2.7 (01/16,2022)", "2.2.7"),
        ("error: unknown flag", None),
    ],
)
def test_the_version_is_read_from_what_each_tool_really_prints(printed: str, version: str | None) -> None:
    assert version_in(printed) == version


@given(VERSIONS)
def test_exact_takes_nothing_but_the_tables_version(found: tuple[int, ...]) -> None:
    text = ".".join(map(str, found))
    assert good_enough(EXACT, text) == (text == EXACT.version)


@given(VERSIONS)
def test_at_least_takes_newer_ones_of_the_same_major_version_only(found: tuple[int, ...]) -> None:
    assert good_enough(AT_LEAST, ".".join(map(str, found))) == (found[0] == 1 and found >= (1, 37, 2))


def test_a_tool_that_prints_no_version_is_not_good_enough_where_the_version_matters() -> None:
    assert not good_enough(EXACT, None)
    assert not good_enough(AT_LEAST, None)
    assert good_enough(ANY, None)


def test_a_good_one_is_found_where_it_is(path: Path) -> None:
    there = program(path)
    assert on_path.find(EXACT, ask=lambda _: "1.37.2") == on_path.Found({"t": there}, "1.37.2")


def test_one_that_is_too_old_is_refused_with_both_versions(path: Path) -> None:
    program(path)
    with pytest.raises(on_path.NotGoodEnoughError, match=r"1\.32\.3, want exactly 1\.37\.2"):
        on_path.find(EXACT, ask=lambda _: "1.32.3")


def test_our_own_links_are_not_taken_for_the_systems(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(cache.bin_dir())
    monkeypatch.setenv("PATH", f"{cache.bin_dir()}:{path}")
    with pytest.raises(on_path.NotGoodEnoughError, match="no t"):
        on_path.find(EXACT, ask=lambda _: "1.37.2")


def test_a_script_around_a_program_is_not_copied_into_machines(path: Path) -> None:
    program(path, content=b"#!/bin/sh\n")
    with pytest.raises(on_path.NotGoodEnoughError, match="is a script"):
        on_path.find(EXACT, ask=lambda _: "1.37.2")


def test_pulumi_without_its_python_host_beside_it_will_not_do(path: Path) -> None:
    tool = Tool(name="p", version="3.0.0", binaries={"p": "p"}, match=Match.AT_LEAST, beside=("p-language-python",))
    program(path, "p")
    with pytest.raises(on_path.NotGoodEnoughError, match="no p-language-python beside it"):
        on_path.find(tool, ask=lambda _: "3.0.1")
    program(path, "p-language-python")
    assert on_path.find(tool, ask=lambda _: "3.0.1").binaries == {"p": path / "p"}


def test_the_host_beside_what_a_link_points_to_counts(path: Path, tmp_path: Path) -> None:
    tool = Tool(name="p", version="3.0.0", binaries={"p": "p"}, match=Match.AT_LEAST, beside=("p-language-python",))
    (path / "p").symlink_to(program(tmp_path / "opt", "p"))
    program(tmp_path / "opt", "p-language-python")
    assert on_path.find(tool, ask=lambda _: "3.0.1").version == "3.0.1"


def test_a_program_that_cannot_be_run_has_no_version(tmp_path: Path) -> None:
    assert on_path.printed_version([str(tmp_path / "absent")]) is None
