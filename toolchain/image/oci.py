"""Writes an OCI image archive of one layer: the same files give the same bytes."""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
CONFIG: Final = "application/vnd.oci.image.config.v1+json"
LAYER: Final = "application/vnd.oci.image.layer.v1.tar"
"""Not compressed: unpacking a compressed layer takes a booting machine longer than reading the larger file."""


@dataclass(frozen=True, kw_only=True)
class File:
    """A regular file of an image."""

    path: str
    """Relative to the image's root."""
    source: Path
    executable: bool = False


@dataclass(frozen=True, kw_only=True)
class Link:
    """A symbolic link of an image."""

    path: str
    target: str


@dataclass(frozen=True, kw_only=True)
class Image:
    """What an image is called, what it starts and what is in it."""

    reference: str
    """Name and tag: `registry.k8s.io/kube-proxy:v1.37.2`."""
    architecture: str
    """As Go and OCI call it: amd64, arm64."""
    entrypoint: tuple[str, ...]
    content: tuple[File | Link, ...]
    user: str = ""
    """`uid:gid`; empty is root."""


def write(image: Image, archive: Path) -> None:
    """Write `image` to the file `archive`."""
    layer = archive.with_name(f".{archive.name}.layer")
    try:
        write_layer(image.content, layer)
        with layer.open("rb") as opened:
            layer_digest = hashlib.file_digest(opened, "sha256").hexdigest()
        config = encoded(configuration(image, layer_digest))
        manifest = encoded(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": {"mediaType": CONFIG, "digest": digest(config), "size": len(config)},
                "layers": [{"mediaType": LAYER, "digest": f"sha256:{layer_digest}", "size": layer.stat().st_size}],
            }
        )
        with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as tar:
            add(tar, "oci-layout", encoded({"imageLayoutVersion": "1.0.0"}))
            add(tar, "index.json", encoded(index(image.reference, manifest)))
            add(tar, blob(digest(manifest)), manifest)
            add(tar, blob(digest(config)), config)
            with layer.open("rb") as opened:
                entry = tarfile.TarInfo(blob(f"sha256:{layer_digest}"))
                entry.size = layer.stat().st_size
                tar.addfile(entry, opened)
    finally:
        layer.unlink(missing_ok=True)


def configuration(image: Image, layer_digest: str) -> dict[str, Any]:
    """The image's configuration."""
    process: dict[str, Any] = {
        "Entrypoint": list(image.entrypoint),
        "Env": ["PATH=/usr/local/bin:/usr/bin:/usr/sbin"],
        "WorkingDir": "/",
    }
    if image.user:
        process["User"] = image.user
    return {
        "architecture": image.architecture,
        "os": "linux",
        "config": process,
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer_digest}"]},
    }


def index(reference: str, manifest: bytes) -> dict[str, Any]:
    """The archive's index: one image, under the name that containerd gives it on import."""
    return {
        "schemaVersion": 2,
        "manifests": [
            {
                "mediaType": MANIFEST,
                "digest": digest(manifest),
                "size": len(manifest),
                "annotations": {"io.containerd.image.name": reference},
            }
        ],
    }


def write_layer(content: Iterable[File | Link], path: Path) -> None:
    """A tar of the content and the folders above it, owned by root, without times."""
    entries = sorted(content, key=lambda entry: entry.path)
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for folder in folders(entry.path for entry in entries):
            member = tarfile.TarInfo(folder)
            member.type, member.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(member)
        for entry in entries:
            member = tarfile.TarInfo(entry.path)
            if isinstance(entry, Link):
                member.type, member.linkname = tarfile.SYMTYPE, entry.target
                tar.addfile(member)
                continue
            member.size = entry.source.stat().st_size
            member.mode = 0o755 if entry.executable else 0o644
            with entry.source.open("rb") as opened:
                tar.addfile(member, opened)


def folders(paths: Iterable[str]) -> list[str]:
    """Every folder above the paths, outer ones first."""
    return sorted({str(parent) for path in paths for parent in Path(path).parents if str(parent) != "."})


def add(tar: tarfile.TarFile, path: str, content: bytes) -> None:
    """Add a small file."""
    entry = tarfile.TarInfo(path)
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))


def encoded(content: Mapping[str, Any]) -> bytes:
    """JSON, always the same for the same content."""
    return json.dumps(content, sort_keys=True).encode()


def digest(content: bytes) -> str:
    """The content's name in OCI's terms."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def blob(digest: str) -> str:
    """Where a blob is in an archive."""
    return f"blobs/{digest.replace(':', '/')}"
