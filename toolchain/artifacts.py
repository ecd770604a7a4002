"""What machines need, where it is on this machine and where it goes on theirs: `<cache>/artifacts.json`."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from toolchain import cache
from toolchain.tool import cloud_tools

FORMAT: Final = 1
"""Raised when the file's shape changes, so that a file of another version of this program is not misread."""

AGENT_LIBRARIES: Final = "agent-libraries"
"""Name of the archive of the agent's Python dependencies."""


class MissingArtifactsError(Exception):
    """The artifacts have not been built, or what was built is gone or of another version of this program."""


def made(archive: Path, cloud: str) -> Path:
    """The archive, which is made for the machines of a cloud alone.

    Raises:
        MissingArtifactsError: it is not there; the message says which command makes it.
    """
    if not archive.exists():
        raise MissingArtifactsError(f"{archive} is missing: run `{cloud_tools(cloud)}` first")
    return archive


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """A file that a machine needs.

    Machines of the local cloud have it in their image: at `path`, or, an image archive, in containerd's store.
    """

    name: str
    """Unique: a binary's own name (`etcd`, `containerd-shim-runc-v2`), `cni-<plugin>`, `image-<component>` or
    `agent-libraries`."""
    version: str
    """Without a leading v."""
    source: Path
    """Where it is on this machine."""
    sha256: str
    path: str
    """Absolute path on the machine; of an archive that is unpacked there, the folder."""
    executable: bool
    roles: tuple[str, ...]
    """Roles of machines that need it."""


@dataclass(frozen=True, kw_only=True)
class Artifacts:
    """Everything that was built."""

    image: Path
    """Folder of the local cloud's machine image: `root/`, to be the lower directory of overlays, and `containerd/`, to
    be copied by hard links (its `*.db` files as real copies) for each machine's /var/lib/containerd."""
    artifacts: tuple[Artifact, ...]

    def named(self, name: str) -> Artifact:
        """The artifact called `name`.

        Raises:
            KeyError: there is none; the message lists what there is.
        """
        found = next((artifact for artifact in self.artifacts if artifact.name == name), None)
        if found is None:
            names = ", ".join(artifact.name for artifact in self.artifacts)
            raise KeyError(f"{name}: no such artifact; there are {names}")
        return found

    def of_role(self, role: str) -> tuple[Artifact, ...]:
        """What machines of `role` need."""
        return tuple(artifact for artifact in self.artifacts if role in artifact.roles)


def file() -> Path:
    """Where the description is."""
    return cache.root() / "artifacts.json"


def load() -> Artifacts:
    """What was built last.

    Raises:
        MissingArtifactsError: nothing was, or it is gone; the message says which command builds it.
    """
    try:
        content = json.loads(file().read_text())
    except (FileNotFoundError, json.JSONDecodeError) as error:
        raise MissingArtifactsError(f"{file()} is missing or broken: run `make tools` first") from error
    if content.get("format") != FORMAT:
        raise MissingArtifactsError(
            f"{file()} has format {content.get('format')}, this version of the program reads {FORMAT}: run `make tools`"
        )
    found = Artifacts(
        image=Path(content["image"]), artifacts=tuple(parsed(artifact) for artifact in content["artifacts"])
    )
    if absent := missing(found):
        raise MissingArtifactsError(f"{', '.join(map(str, absent))}: gone since it was built; run `make tools` again")
    return found


def save(artifacts: Artifacts) -> None:
    """Write the description in one step: a reader sees the old one or the new one."""
    content = {
        "format": FORMAT,
        "image": str(artifacts.image),
        "artifacts": [{**asdict(artifact), "source": str(artifact.source)} for artifact in artifacts.artifacts],
    }
    fresh = file().with_name(f".{file().name}.new")
    fresh.write_text(json.dumps(content, indent=2) + "\n")
    fresh.replace(file())


def missing(artifacts: Artifacts) -> list[Path]:
    """What is described but not on disk."""
    paths: Iterable[Path] = (artifacts.image / "root", artifacts.image / "containerd")
    return [path for path in (*paths, *(artifact.source for artifact in artifacts.artifacts)) if not path.exists()]


def parsed(content: dict[str, Any]) -> Artifact:
    """One entry of the file."""
    return Artifact(**{**content, "source": Path(content["source"]), "roles": tuple(content["roles"])})
