"""The agent's source as one file that a machine fetches and checks by sha256.

It holds `components/node/` whole. On the machine it is unpacked to `/opt/kube-ha/agent` and run with
`PYTHONPATH=/opt/kube-ha/agent:/opt/kube-ha/libraries/<sha256> /usr/bin/python3 -m components.node.agent run`.
"""

import gzip
import hashlib
import io
import tarfile
from dataclasses import dataclass, field
from pathlib import Path

_PACKAGE = Path(__file__).parent
_PROJECT = _PACKAGE.parents[1]


@dataclass(frozen=True)
class Bundle:
    """A gzipped tar archive."""

    content: bytes = field(repr=False)
    sha256: str

    @property
    def key(self) -> str:
        """Where it belongs in the stack's bucket: a new one beside the old one, which machines may still boot from."""
        return f"agent/{self.sha256}.tar.gz"

    def write(self, folder: Path) -> Path:
        """The archive as a file in `folder`, named by its content; written only when it is not there yet."""
        file = folder / f"{self.sha256}.tar.gz"
        if not file.exists():
            folder.mkdir(parents=True, exist_ok=True)
            fresh = file.with_suffix(".new")
            fresh.write_bytes(self.content)
            fresh.replace(file)
        return file


def build(package: Path = _PACKAGE, project: Path = _PROJECT) -> Bundle:
    """The bundle of the source at hand: the same source gives the same bytes, whoever builds it and when."""
    archive = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=archive, mode="wb", mtime=0, filename="") as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for path in sorted(package.rglob("*.py")):
            content = path.read_bytes()
            entry = tarfile.TarInfo(path.relative_to(project).as_posix())
            entry.size = len(content)
            entry.mode = 0o644
            tar.addfile(entry, io.BytesIO(content))
    content = archive.getvalue()
    return Bundle(content, hashlib.sha256(content).hexdigest())
