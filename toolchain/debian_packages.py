"""What a cloud's stock Debian lacks, as one archive of its own packages: a machine installs them without a mirror.

Machines of the local cloud have them in their image.
"""

import hashlib
import io
import platform
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from toolchain import artifacts, cache
from toolchain.artifacts import Artifact
from toolchain.image import debian
from toolchain.image.command import run
from toolchain.image.libraries import fingerprint

PACKAGES: Final = (
    "haproxy",  # the passthrough from a master to etcd's members
    "nftables",  # pods leave with their node's address
)

EVERYWHERE: Final = "required"
"""Priority of packages without which a Debian does not start."""

NAME: Final = "debian-packages"

PATH: Final = "/opt/kube-ha/packages/debian.tar"
"""On machines."""

ROLES: Final = ("master",)

INDEX: Final = "Packages"
WANTED: Final = "wanted"
"""File with the names of `PACKAGES`, a line each."""


def load() -> Artifact:
    """What was fetched.

    Raises:
        MissingArtifactsError: nothing was; the message says which command fetches it.
    """
    archive = artifacts.made(place(), "aws")
    digest = fingerprint(archive)
    return Artifact(
        name=NAME, version=digest[:12], source=archive, sha256=digest, path=PATH, executable=False, roles=ROLES
    )


def build() -> Artifact:
    """Fetch it if it is not there: the packages and all that they need, as the mirrors have them now.

    Raises:
        ImageError: there is no mmdebstrap, or it failed.
    """
    archive = place()
    if not archive.exists():
        archive.parent.mkdir(parents=True, exist_ok=True)
        fresh = archive.with_suffix(".new")
        with tempfile.TemporaryDirectory() as folder:
            write(download(Path(folder) / "root"), fresh)
        fresh.replace(archive)
    return load()


def place() -> Path:
    """Where the archive is: named by what was asked for."""
    asked = " ".join((debian.SUITE, platform.machine(), *PACKAGES))
    return cache.root() / "packages" / f"{hashlib.sha256(asked.encode()).hexdigest()[:16]}.tar"


def download(root: Path) -> list[Path]:
    """The packages, from the mirrors that this machine's own apt uses."""
    asked = debian.asked("apt-get", "indextargets", "--format", "$(CREATED_BY) $(REPO_URI) $(RELEASE) $(COMPONENT)")
    sources = debian.mirrors(asked)
    settings = [f"--aptopt={setting}" for setting in debian.carried(debian.asked("apt-config", "dump"))]
    run(
        "mmdebstrap",
        "--mode=root",
        # Nothing is installed: all that is wanted is what apt downloads for it.
        "--variant=extract",
        "--skip=essential/unlink,cleanup/apt",
        "--aptopt=APT::Install-Recommends false",
        *settings,
        f"--include={','.join(PACKAGES)}",
        debian.SUITE,
        root,
        *(["-"] if sources else []),
        feed="\n".join(sources),
    )
    return sorted((root / "var/cache/apt/archives").glob("*.deb"))


def write(packages: Iterable[Path], archive: Path) -> None:
    """A tar that is a repository for apt once it is unpacked: packages, their index, and the names to ask it for."""
    entries = []
    with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as tar:
        for package in packages:
            if field(package, "Priority") == EVERYWHERE:
                continue
            content = package.read_bytes()
            entries.append(f"{field(package)}\n{described(package.name, content)}")
            add(tar, package.name, content)
        add(tar, INDEX, "\n".join(entries).encode())
        add(tar, WANTED, "\n".join(PACKAGES).encode())


def described(name: str, content: bytes) -> str:
    """What an index says of a file, beside what the package says of itself."""
    return f"Filename: ./{name}\nSize: {len(content)}\nSHA256: {hashlib.sha256(content).hexdigest()}\n"


def field(package: Path, *names: str) -> str:
    """Fields of a package's description; all of them where none is named."""
    return run("dpkg-deb", "--field", package, *names).strip()


def add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    """A file that is the same for the same content."""
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


if __name__ == "__main__":
    print(build().source)
