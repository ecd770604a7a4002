"""Builds the machine image and the artifacts, each step only when what goes into it has changed."""

import os
import platform
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Final

from toolchain import artifacts, cache, store
from toolchain.artifacts import Artifact, Artifacts
from toolchain.image import (
    boot,
    catalogue,
    container_images,
    debian,
    image_store,
    libraries,
    machine_root,
    netfilter,
    oci,
    stage,
)
from toolchain.image.command import ImageError
from toolchain.image.container_images import Component
from toolchain.progress import console

LOCK_FILE: Final = Path(__file__).parents[2] / "requirements.lock"

ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64"}


def build() -> Artifacts:
    """Build what is missing and describe it in `<cache>/artifacts.json`.

    Raises:
        ImageError: no root, or a step failed.
        MissingToolError: the toolchain has not been installed.
    """
    if os.geteuid() != 0:
        raise ImageError(
            "the machine image needs root (it is made of file systems, namespaces and mounts): run as root"
        )
    with store.lock(lambda holder: console.print(f"waiting for {holder}, which holds {cache.root()}")):
        bare = bare_debian()
        archives = image_archives(bare)
        dependencies = agent_libraries()

        def contents() -> list[Artifact]:
            return [
                *catalogue.binaries(),
                *catalogue.images(components(bare), archives),
                catalogue.libraries(dependencies / libraries.ARCHIVE),
            ]

        image = machine(bare, archives, dependencies, contents)
        built = described(image, contents)
        stage.remove(stage.outdated((bare.parent, archives, dependencies, image), stage.uses()))
    return built


def described(image: Path, contents: Callable[[], Sequence[Artifact]]) -> Artifacts:
    """The description of `image`, written unless it is there: checksums of a gigabyte take seconds."""
    try:
        found = artifacts.load()
    except artifacts.MissingArtifactsError:
        found = None
    if found is None or found.image != image:
        found = Artifacts(image=image, artifacts=tuple(contents()))
        artifacts.save(found)
    return found


def bare_debian() -> Path:
    """Debian with its packages, as they come."""
    inputs = {"machine": platform.machine(), "recipe": recipe(debian)}

    def bootstrap(folder: Path) -> None:
        debian.bootstrap(folder / "root")

    return stage.cached("debian", "machine image: Debian 12", inputs, bootstrap) / "root"


def image_archives(bare: Path) -> Path:
    """A folder with an archive per container image."""
    inputs = {
        "debian": bare.parent.name,
        "binaries": [stage.identity(path) for path in (*container_images.sources(), cache.binary("kubeadm"))],
        "recipe": recipe(container_images, netfilter, oci),
    }

    def write(folder: Path) -> None:
        for component in components(bare):
            oci.write(component.image, folder / f"{component.name}.tar")

    return stage.cached("archives", "machine image: container images", inputs, write)


def components(bare: Path) -> list[Component]:
    """What the container images are made of."""
    references = container_images.asked_by_kubeadm()
    return container_images.components(bare, references, netfilter.content(bare), architecture())


def agent_libraries() -> Path:
    """A folder with the archive of the agent's dependencies."""
    requirements = libraries.locked(LOCK_FILE.read_text())
    inputs = {"requirements": requirements, "platform": libraries.PLATFORM, "recipe": recipe(libraries)}
    return stage.cached(
        "libraries",
        "machine image: libraries of the agent",
        inputs,
        lambda folder: libraries.write(requirements, folder / libraries.ARCHIVE),
    )


def machine(bare: Path, archives: Path, dependencies: Path, contents: Callable[[], Sequence[Artifact]]) -> Path:
    """The image's folder: the furnished root and containerd's store."""
    inputs = {
        "stages": [bare.parent.name, archives.name, dependencies.name],
        "binaries": [stage.identity(path) for path in catalogue.sources()],
        "recipe": recipe(boot, catalogue, machine_root, image_store),
    }

    def furnish(folder: Path) -> None:
        image_store.fill(folder / "containerd", sorted(archives.glob("*.tar")))
        machine_root.furnish(folder / "root", bare, contents())

    return stage.cached("machine", "machine image: root file system and image store", inputs, furnish)


def recipe(*modules: ModuleType) -> list[str]:
    """How something is made, as far as these modules say."""
    return [Path(str(module.__file__)).read_text() for module in modules]


def architecture() -> str:
    """This machine's, as OCI calls it.

    Raises:
        ImageError: none that is supported.
    """
    found = ARCHITECTURES.get(platform.machine())
    if found is None:
        raise ImageError(
            f"{platform.machine()}: no such machine architecture; {', '.join(ARCHITECTURES)} are supported"
        )
    return found
