"""A cloud's controller manager as a container image for that cloud's masters: an artifact of its own.

Machines of the local cloud have no cloud controller: nothing of it is in their image.
"""

import sys
from pathlib import Path
from typing import Final

from toolchain import artifacts, cache, store
from toolchain.artifacts import Artifact
from toolchain.image import catalogue, oci
from toolchain.image.build import architecture
from toolchain.image.container_images import CERTIFICATES, UNPRIVILEGED, program
from toolchain.install import Installer
from toolchain.progress import console
from toolchain.tool import Tool
from toolchain.versions import tool

TOOLS: Final = {"aws": "aws-cloud-controller-manager"}
"""Cloud → the tool of the table of versions."""

REPOSITORIES: Final = {"aws": "registry.k8s.io/provider-aws/cloud-controller-manager"}
"""Cloud → what its project calls the image."""


def load(cloud: str) -> Artifact:
    """What was built for the version of the table.

    Raises:
        MissingArtifactsError: nothing was; the message says which command builds it.
    """
    archive = artifacts.made(place(cloud), cloud)
    return Artifact(
        name=f"image-{TOOLS[cloud]}",
        version=wanted(cloud).version,
        source=archive,
        sha256=catalogue.sha256(archive),
        path=f"{catalogue.IMAGES}/{TOOLS[cloud]}.tar",
        executable=False,
        roles=catalogue.MASTER,
    )


def build(cloud: str) -> Artifact:
    """Build it if it is not there.

    Raises:
        MissingArtifactsError: the machine image, whose certificate authorities it takes along, has not been built.
        NoWayError: the binary could not be built.
    """
    archive = place(cloud)
    if not archive.exists():
        certificates = artifacts.load().image / "root" / CERTIFICATES
        with store.lock(lambda holder: console.print(f"waiting for {holder}, which holds {cache.root()}")):
            binary = Installer().install(wanted(cloud)).binaries[TOOLS[cloud]]
        archive.parent.mkdir(parents=True, exist_ok=True)
        fresh = archive.with_suffix(".new")
        oci.write(image(cloud, binary, certificates), fresh)
        fresh.replace(archive)
    return load(cloud)


def image(cloud: str, binary: Path, certificates: Path) -> oci.Image:
    """The program, and whom it trusts when it asks the cloud."""
    path = f"usr/local/bin/{TOOLS[cloud]}"
    return oci.Image(
        reference=f"{REPOSITORIES[cloud]}:v{wanted(cloud).version}",
        architecture=architecture(),
        entrypoint=(f"/{path}",),
        content=(program(path, binary), oci.File(path=CERTIFICATES, source=certificates)),
        user=UNPRIVILEGED,
    )


def place(cloud: str) -> Path:
    """Where the archive is."""
    each = wanted(cloud)
    return cache.root() / "images" / f"{each.name}-{each.version}-r{each.revision}.tar"


def wanted(cloud: str) -> Tool:
    """The line of the table of versions."""
    return tool(TOOLS[cloud])


if __name__ == "__main__":
    for name in sys.argv[1:] or TOOLS:
        print(build(name).source)
