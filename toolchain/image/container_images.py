"""The container images of a control plane, under the names that kubeadm asks for.

They are made here from the same sources as the official ones (the binaries of the table of versions), not pulled: an
archive is then a file with a sha256 like every other artifact, a machine boots without a registry, and they exist where
no registry can be reached. What differs: no shell, no package database; the sandbox's process is catatonit, the one
that Podman uses for it; kube-proxy's nft comes from the machine's own Debian.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from toolchain import cache, versions
from toolchain.image.command import ImageError, run
from toolchain.image.oci import File, Image, Link

PAUSE: Final = "3.10.2"
"""The version whose name the sandbox's image has: kubeadm 1.37 and containerd 2.4 ask for it."""

CERTIFICATES: Final = "etc/ssl/certs/ca-certificates.crt"

UNPRIVILEGED: Final = "65532:65532"
"""The user of CoreDNS's official image."""

CONTROL_PLANE: Final = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")


@dataclass(frozen=True)
class Component:
    """A container image, its short name and its version."""

    name: str
    version: str
    image: Image


def components(
    root: Path, references: Sequence[str], netfilter: Sequence[File | Link], architecture: str
) -> list[Component]:
    """All images; `root` is the machines' root file system, `references` what kubeadm asks for, `netfilter` what
    kube-proxy starts.

    Raises:
        MissingToolError: a binary has not been installed.
        ImageError: kubeadm asks for no such image.
    """

    def component(
        name: str, version: str, entrypoint: Sequence[str], *content: File | Link, user: str = ""
    ) -> Component:
        return Component(
            name,
            version,
            Image(
                reference=called(name, references),
                architecture=architecture,
                entrypoint=tuple(entrypoint),
                content=content,
                user=user,
            ),
        )

    def kubernetes(name: str, *more: File | Link) -> Component:
        path = f"usr/local/bin/{name}"
        return component(name, versions.KUBERNETES, (f"/{path}",), program(path, cache.binary(name)), *more)

    return [
        *(kubernetes(name) for name in CONTROL_PLANE),
        kubernetes("kube-proxy", *netfilter),
        component(
            "coredns",
            versions.COREDNS,
            ("/coredns",),
            program("coredns", cache.binary("coredns")),
            File(path=CERTIFICATES, source=root / CERTIFICATES),
            user=UNPRIVILEGED,
        ),
        component("pause", PAUSE, ("/catatonit", "-P"), program("catatonit", root / "usr/bin/catatonit")),
    ]


def sources() -> list[Path]:
    """The binaries that go into images.

    Raises:
        MissingToolError: one has not been installed.
    """
    return [cache.binary(name) for name in (*CONTROL_PLANE, "kube-proxy", "coredns")]


def asked_by_kubeadm() -> list[str]:
    """References of the images that kubeadm asks for: the tags are those that Kubernetes was released with."""
    listed = run(cache.binary("kubeadm"), "config", "images", "list", f"--kubernetes-version=v{versions.KUBERNETES}")
    return re.findall(r"^\S+/\S+:\S+$", listed, re.MULTILINE)


def called(name: str, references: Sequence[str]) -> str:
    """The reference of the image `name`."""
    found = next((reference for reference in references if f"/{name}:" in reference), None)
    if found is None:
        raise ImageError(f"{name}: kubeadm config images list names no such image, only {', '.join(references)}")
    return found


def program(path: str, source: Path) -> File:
    """An executable file."""
    return File(path=path, source=source, executable=True)
