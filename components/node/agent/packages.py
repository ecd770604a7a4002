"""Packages that the machine's Debian lacks, from a repository that came as an artifact: no mirror is asked."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from components.node.agent.files import sha256_of, write
from components.node.agent.step import Context, Step
from components.node.machine import Artifact, Machine

FOLDER: Final = "/opt/kube-ha/packages/"
WANTED: Final = "wanted"
"""File in the archive with the names of the packages, a line each."""

OF_PACKAGES: Final = ("haproxy.service",)
"""Services that a package would start; the agent has units of its own for them."""

TIMEOUT_SECONDS: Final = 300


class PackageError(Exception):
    """apt could not install what the archive holds."""


class Packages(Step):
    """Installs them once; what is installed already, in whatever version, stays."""

    name = "packages"

    def applies(self, machine: Machine) -> bool:
        return bool(archives(machine))

    def run(self, context: Context) -> None:
        for service in OF_PACKAGES:
            mask(context.paths.units / service)
        for artifact in archives(context.machine):
            archive = context.paths.root / artifact.path.lstrip("/")
            done = context.paths.state / "packages" / artifact.name
            digest = sha256_of(archive).encode()
            if done.is_file() and done.read_bytes() == digest:
                continue
            installed = install(archive, archive.with_suffix(""))
            write(done, digest)
            context.log(self.name, f"{', '.join(installed)} installed")


def archives(machine: Machine) -> list[Artifact]:
    """The artifacts that are repositories."""
    return [artifact for artifact in machine.artifacts if artifact.path.startswith(FOLDER)]


def mask(unit: Path) -> None:
    """Keep a unit from being started, whoever asks for it."""
    if not unit.is_symlink():
        unit.parent.mkdir(parents=True, exist_ok=True)
        unit.symlink_to("/dev/null")


def install(archive: Path, folder: Path) -> list[str]:
    """Unpack a repository and install what it is there for; the packages' names.

    Raises:
        PackageError: with the last that apt said.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    run("tar", "--extract", "--no-same-owner", "--file", str(archive), "--directory", str(folder))
    names = (folder / WANTED).read_text().split()
    sources = folder / "sources.list"
    # The archive's sha256 was checked against the machine document.
    sources.write_text(f"deb [trusted=yes] file:{folder} ./\n")
    lists = folder / "lists"
    lists.mkdir()
    only = [f"-oDir::Etc::SourceList={sources}", "-oDir::Etc::SourceParts=-", f"-oDir::State::Lists={lists}"]
    apt = ("apt-get", "-qq", *only, "-oDPkg::Lock::Timeout=60")
    run(*apt, "update")
    run(*apt, "install", "--yes", "--no-upgrade", "--no-install-recommends", *names)
    return names


def run(*command: str) -> None:
    """Run a command without anybody to ask.

    Raises:
        PackageError: it failed.
    """
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    answer = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=TIMEOUT_SECONDS
    )
    if answer.returncode != 0:
        last = (answer.stderr or answer.stdout).strip().splitlines()[-3:]
        raise PackageError(f"{' '.join(command)}: {' '.join(last)}")
