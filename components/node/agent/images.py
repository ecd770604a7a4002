"""Container images that came as artifacts, in containerd's store before the kubelet asks for them."""

import json
import subprocess
import tarfile
from pathlib import Path
from typing import Final

from components.node.agent.step import Context

FOLDER: Final = "/opt/kube-ha/images/"
_NAME: Final = "io.containerd.image.name"


class ImageError(Exception):
    """An archive that is not an OCI image, or that containerd did not take."""


def archives(context: Context) -> list[Path]:
    """The image archives among the machine's artifacts."""
    return [
        context.paths.root / artifact.path.lstrip("/")
        for artifact in context.machine.artifacts
        if artifact.path.startswith(FOLDER) and artifact.path.endswith(".tar")
    ]


def names(archive: Path) -> set[str]:
    """The images in an OCI archive, by the names that its index gives them.

    Raises:
        ImageError: it has no index.
    """
    try:
        with tarfile.open(archive) as tar:
            index = json.load(tar.extractfile("index.json"))  # type: ignore[arg-type]
        return {entry["annotations"][_NAME] for entry in index["manifests"]}
    except (KeyError, TypeError, ValueError, tarfile.TarError) as error:
        raise ImageError(f"{archive}: not an OCI archive with named images ({error})") from None


def import_missing(context: Context) -> None:
    """Import the archives whose images containerd does not have."""
    found = archives(context)
    if not found:
        return
    present = set(_ctr(context, "images", "ls", "--quiet").split())
    for archive in found:
        if not names(archive) <= present:
            # --local: without it 2.4 lists the image but does not unpack it.
            _ctr(context, "images", "import", "--local", str(archive))
            context.log("images", f"{archive.name} imported")


def _ctr(context: Context, *arguments: str) -> str:
    answer = subprocess.run(
        [str(context.paths.binaries / "ctr"), "--namespace=k8s.io", *arguments],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    if answer.returncode != 0:
        raise ImageError(f"ctr {' '.join(arguments)}: {answer.stderr.strip()}")
    return answer.stdout
