"""Files of known content: what the document names is at its path with its sha256 before anything uses it."""

import json
from pathlib import Path
from typing import Any

from components.node.agent.cloud import Cloud, CloudError
from components.node.agent.files import sha256_of, write
from components.node.agent.step import Context, Step
from components.node.machine import Artifact


class ArtifactError(Exception):
    """The bucket holds something else under an artifact's key."""


class Artifacts(Step):
    """Downloads what is missing or of another version."""

    name = "artifacts"

    def run(self, context: Context) -> None:
        ledger = Ledger(context.paths.state / "artifacts.json")
        for artifact in context.machine.artifacts:
            path = context.paths.root / artifact.path.lstrip("/")
            if not ledger.vouches(path, artifact.sha256):
                fetch(context.cloud, artifact, path)
                ledger.enter(path, artifact.sha256)
                context.log(self.name, f"{artifact.name} at {path}")
        ledger.save()


class Ledger:
    """What was verified, by size and modification time: hashing 600 MB at every start would take seconds.

    The machine image brings one along for what it has in it. A file that is not in it is hashed once.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries: dict[str, dict[str, Any]] = json.loads(path.read_text()) if path.is_file() else {}

    def vouches(self, path: Path, sha256: str) -> bool:
        """Whether the file at `path` has this sha256."""
        if not path.is_file():
            return False
        if self._entries.get(str(path)) == _entry(path, sha256):
            return True
        if sha256_of(path) != sha256:
            return False
        self.enter(path, sha256)
        return True

    def enter(self, path: Path, sha256: str) -> None:
        """Remember that `path` was verified."""
        self._entries[str(path)] = _entry(path, sha256)

    def save(self) -> None:
        """Keep it for the next start."""
        write(self._path, json.dumps(self._entries, sort_keys=True).encode(), mode=0o644)


def fetch(cloud: Cloud, artifact: Artifact, path: Path) -> None:
    """Download an artifact and put it in place when its sha256 is right.

    Raises:
        ArtifactError: it is not; nothing was put in place.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.download")
    try:
        cloud.download(artifact.key, str(temporary))
        if (digest := sha256_of(temporary)) != artifact.sha256:
            raise ArtifactError(f"{artifact.key}: sha256 is {digest}, the machine document says {artifact.sha256}")
        temporary.chmod(0o755 if artifact.executable else 0o644)
        temporary.replace(path)
    except CloudError as error:
        raise CloudError(f"{artifact.name}: {error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def _entry(path: Path, sha256: str) -> dict[str, Any]:
    status = path.stat()
    return {"sha256": sha256, "size": status.st_size, "mtime": status.st_mtime_ns}
