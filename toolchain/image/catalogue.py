"""Which files machines need, where each goes and which roles need it."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from toolchain import cache, versions
from toolchain.artifacts import AGENT_LIBRARIES, Artifact
from toolchain.image.container_images import Component

BINARIES: Final = "/opt/kube-ha/bin"
CNI_PLUGINS: Final = "/opt/cni/bin"
IMAGES: Final = "/opt/kube-ha/images"
LIBRARIES: Final = "/opt/kube-ha/libraries"

MASTER: Final = ("master",)
ETCD: Final = ("master", "member")
"""A stacked member lives on a master."""
EVERY: Final = ("master", "member", "balancer")

ROLES: Final = {
    "etcd": ETCD,
    "kubeadm": MASTER,
    "kubelet": MASTER,
    "kubectl": MASTER,
    "containerd": MASTER,
    "runc": MASTER,
}
"""Tools of the table of versions whose binaries run on machines, and where."""


def binaries() -> list[Artifact]:
    """The binaries of all tools that run on machines.

    Raises:
        MissingToolError: one has not been installed.
    """
    return [
        *(
            binary(name, versions.tool(tool).version, f"{BINARIES}/{name}", name, roles)
            for tool, roles in ROLES.items()
            for name in versions.tool(tool).binaries
        ),
        *(
            binary(f"cni-{name}", versions.CNI_PLUGINS, f"{CNI_PLUGINS}/{name}", name, MASTER)
            for name in versions.tool("cni-plugins").binaries
        ),
    ]


def binary(artifact: str, version: str, path: str, name: str, roles: tuple[str, ...]) -> Artifact:
    """One executable."""
    source = cache.binary(name)
    return Artifact(
        name=artifact, version=version, source=source, sha256=sha256(source), path=path, executable=True, roles=roles
    )


def sources() -> list[Path]:
    """Where the binaries are on this machine.

    Raises:
        MissingToolError: one has not been installed.
    """
    return [cache.binary(name) for tool in (*ROLES, "cni-plugins") for name in versions.tool(tool).binaries]


def images(components: Iterable[Component], archives: Path) -> list[Artifact]:
    """The archives of the container images."""
    return [image(component, archives / f"{component.name}.tar") for component in components]


def image(component: Component, archive: Path) -> Artifact:
    """One archive."""
    return Artifact(
        name=f"image-{component.name}",
        version=component.version,
        source=archive,
        sha256=sha256(archive),
        path=f"{IMAGES}/{archive.name}",
        executable=False,
        roles=MASTER,
    )


def libraries(archive: Path) -> Artifact:
    """The agent's Python dependencies."""
    digest = sha256(archive)
    return Artifact(
        name=AGENT_LIBRARIES,
        version=digest[:12],
        source=archive,
        sha256=digest,
        path=f"{LIBRARIES}/{digest}",
        executable=False,
        roles=EVERY,
    )


def sha256(path: Path) -> str:
    """The content's checksum."""
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
