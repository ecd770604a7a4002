"""The root file system of machines: Debian, how it boots, and every artifact at its place."""

import os
import shutil
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from toolchain.artifacts import AGENT_LIBRARIES, Artifact
from toolchain.image import boot
from toolchain.image.catalogue import BINARIES, LIBRARIES
from toolchain.image.command import run, within
from toolchain.image.libraries import PYTHON

FOLDERS: Final = ("etc/kube-ha", "lib/modules", "var/lib/containerd", "var/lib/etcd", "var/lib/kubelet")
"""What is mounted over or into."""

SELF_TEST: Final = {
    "containerd": ("--version",),
    "etcd": ("--version",),
    "kubectl": ("version", "--client"),
    "kubelet": ("--version",),
    "runc": ("--version",),
}
"""Binaries that must start on the machine, one of each build: here they may have been linked with newer libraries."""


def furnish(root: Path, debian: Path, artifacts: Iterable[Artifact]) -> None:
    """Make `root` from the bare `debian`, of which it shares the files.

    Raises:
        ImageError: a program does not run in it.
    """
    run("cp", "--archive", "--link", debian, root)
    configure(root)
    for artifact in artifacts:
        install(root, artifact)
    compile_libraries(root)
    for name, arguments in SELF_TEST.items():
        run(*within(root, f"{BINARIES}/{name}", *arguments))


def configure(root: Path) -> None:
    """Write how it boots."""
    for folder in FOLDERS:
        (root / folder).mkdir(parents=True, exist_ok=True)
    for path, content in {**boot.FILES, **boot.PROGRAMS}.items():
        write(root / path, content, 0o755 if path in boot.PROGRAMS else 0o644)
    for path in boot.REMOVED:
        (root / path).unlink(missing_ok=True)
    run(*within(root, "systemctl", "preset-all"))
    for path, target in boot.LINKS.items():
        clear(root / path)
        (root / path).symlink_to(target)


def write(path: Path, content: str, mode: int) -> None:
    """A file of its own: what is there may be shared with the bare Debian."""
    clear(path)
    path.write_text(content)
    path.chmod(mode)


def clear(path: Path) -> None:
    """Make way for a file, in a folder that there may not be yet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)


def install(root: Path, artifact: Artifact) -> None:
    """Put an artifact where machines look for it: a binary as it is, an archive of libraries unpacked.

    Archives of container images stay out: containerd's store has them.
    """
    path = root / artifact.path.removeprefix("/")
    if artifact.executable:
        place(artifact.source, path)
    elif artifact.name == AGENT_LIBRARIES:
        path.mkdir(parents=True)
        with tarfile.open(artifact.source) as archive:
            archive.extractall(path, filter="data")


def place(source: Path, path: Path) -> None:
    """The same file under another name; a copy where they are on different file systems."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, path)
    except OSError:
        shutil.copyfile(source, path)
        path.chmod(0o755)


def compile_libraries(root: Path) -> None:
    """Compile the agent's libraries, so that no machine has to at its first start."""
    run(*within(root, f"/usr/bin/python{PYTHON}", "-m", "compileall", "-q", LIBRARIES))
