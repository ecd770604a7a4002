"""Packages that a stock image lacks: installed once, from what the machine fetched, without a mirror."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from components.node.agent.packages import PackageError, Packages
from components.node.agent.step import Context
from components.node.machine import Artifact
from tests.agent.conftest import World
from toolchain import debian_packages

ARTIFACT = Artifact(name=debian_packages.NAME, key="k", sha256="0" * 64, path=debian_packages.PATH)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """An archive as the toolchain writes it, of one package that needs nothing."""
    if shutil.which("dpkg-deb") is None:
        pytest.skip("dpkg-deb is not installed")
    control = tmp_path / "package/DEBIAN/control"
    control.parent.mkdir(parents=True)
    fields = {"Package": "haproxy", "Version": "2.6", "Architecture": "all", "Maintainer": "nobody <n@example.org>"}
    described = {**fields, "Description": "for a test", "Priority": "optional"}
    control.write_text("".join(f"{name}: {value}\n" for name, value in described.items()))
    package = tmp_path / "haproxy.deb"
    subprocess.run(["dpkg-deb", "--build", tmp_path / "package", package], check=True, capture_output=True)
    archive = tmp_path / "repository.tar"
    debian_packages.write([package], archive)
    return archive


@pytest.fixture
def context(world: World, repository: Path) -> Context:
    """A machine with the archive among its artifacts."""
    made = world.machine("member-1")
    made.machine = made.machine.model_copy(update={"artifacts": (ARTIFACT,)})
    place = made.paths.root / debian_packages.PATH.lstrip("/")
    place.parent.mkdir(parents=True)
    shutil.copy(repository, place)
    return made


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[str]]:
    """Put a program in apt-get's place that writes down what it is asked and ends with a status."""
    folder, log = tmp_path / "bin", tmp_path / "asked"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    def asked(status: int = 0) -> list[str]:
        script = folder / "apt-get"
        script.write_text(f'#!/bin/sh\necho "$@" >> {log}\necho "it broke" >&2\nexit {status}\n')
        script.chmod(0o755)
        return log.read_text().splitlines() if log.exists() else []

    asked(0)
    return asked


def test_packages_are_installed_once(context: Context, apt: Callable[[int], list[str]]) -> None:
    Packages().run(context)
    Packages().run(context)
    update, install = apt(0)
    assert update.endswith("update")
    assert install.endswith("install --yes --no-upgrade --no-install-recommends haproxy nftables")


def test_a_service_that_a_package_brings_never_starts(context: Context, apt: Callable[[int], list[str]]) -> None:
    Packages().run(context)
    assert (context.paths.units / "haproxy.service").readlink() == Path("/dev/null")


def test_what_apt_refuses_is_said_and_tried_again(context: Context, apt: Callable[[int], list[str]]) -> None:
    apt(100)
    with pytest.raises(PackageError, match=r"update: it broke"):
        Packages().run(context)
    apt(0)
    Packages().run(context)
    assert len(apt(0)) == 3


def test_machines_whose_image_has_all_have_no_such_step(world: World) -> None:
    machine = world.machine("member-1").machine
    assert not Packages().applies(machine)
    assert Packages().applies(machine.model_copy(update={"artifacts": (ARTIFACT,)}))


def test_apt_reads_the_archive_as_a_repository(repository: Path, tmp_path: Path) -> None:
    if shutil.which("apt-get") is None:
        pytest.skip("apt-get is not installed")
    folder = tmp_path / "unpacked"
    for made in ("", "lists", "cache"):
        (folder / made).mkdir()
    subprocess.run(["tar", "-xf", repository, "-C", folder], check=True)
    (folder / "sources.list").write_text(f"deb [trusted=yes] file:{folder} ./\n")
    # Nothing of this machine's own apt is read or written.
    apart = {
        "Dir::Etc::SourceList": folder / "sources.list",
        "Dir::Etc::SourceParts": "-",
        "Dir::State::Lists": folder / "lists",
        "Dir::State::status": "/dev/null",
        "Dir::Cache": folder / "cache",
        "APT::Sandbox::User": "",
        "Debug::NoLocking": "true",
    }
    apt_get = ["apt-get", *(f"-o{name}={value}" for name, value in apart.items())]
    subprocess.run([*apt_get, "update"], check=True, capture_output=True)
    simulated = subprocess.run([*apt_get, "--simulate", "install", "haproxy"], check=True, capture_output=True)
    assert b"Inst haproxy (2.6" in simulated.stdout
    # Size and checksum of the index are those of the file that it names.
    subprocess.run([*apt_get, "download", "haproxy"], cwd=folder / "cache", check=True, capture_output=True)
    assert list((folder / "cache").glob("haproxy*.deb"))
