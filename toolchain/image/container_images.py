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
from toolchain.image.command import ImageError, run, within
from toolchain.image.oci import File, Image, Link

PAUSE: Final = "3.10.2"
"""Tag that kubelet 1.37 and containerd 2.4 want; the content is catatonit's."""

UNPRIVILEGED: Final = "65532:65532"
"""The user of CoreDNS's official image."""

CONTROL_PLANE: Final = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")

NETFILTER: Final = ("usr/sbin/nft", "usr/sbin/xtables-nft-multi", "usr/sbin/conntrack")
"""What kube-proxy starts."""

XTABLES_NAMES: Final = (
    "iptables",
    "iptables-restore",
    "iptables-save",
    "ip6tables",
    "ip6tables-restore",
    "ip6tables-save",
)
"""Names under which xtables-nft-multi is started."""


@dataclass(frozen=True)
class Component:
    """A container image, its short name and its version."""

    name: str
    version: str
    image: Image


def components(root: Path, coredns_reference: str, architecture: str) -> list[Component]:
    """All images; `root` is the machines' root file system, from which Debian's programs are taken.

    Raises:
        MissingToolError: a binary has not been installed.
        ImageError: a library of Debian's programs is not in the root.
    """
    kubernetes = versions.KUBERNETES
    return [
        *(
            Component(
                name,
                kubernetes,
                Image(
                    reference=f"registry.k8s.io/{name}:v{kubernetes}",
                    architecture=architecture,
                    entrypoint=(f"/usr/local/bin/{name}",),
                    content=(program(f"usr/local/bin/{name}", cache.binary(name)),),
                ),
            )
            for name in CONTROL_PLANE
        ),
        Component(
            "kube-proxy",
            kubernetes,
            Image(
                reference=f"registry.k8s.io/kube-proxy:v{kubernetes}",
                architecture=architecture,
                entrypoint=("/usr/local/bin/kube-proxy",),
                content=(program("usr/local/bin/kube-proxy", cache.binary("kube-proxy")), *netfilter(root)),
            ),
        ),
        Component(
            "coredns",
            versions.COREDNS,
            Image(
                reference=coredns_reference,
                architecture=architecture,
                entrypoint=("/coredns",),
                content=(
                    program("coredns", cache.binary("coredns")),
                    File(path="etc/ssl/certs/ca-certificates.crt", source=root / "etc/ssl/certs/ca-certificates.crt"),
                ),
                user=UNPRIVILEGED,
            ),
        ),
        Component(
            "pause",
            PAUSE,
            Image(
                reference=f"registry.k8s.io/pause:{PAUSE}",
                architecture=architecture,
                entrypoint=("/catatonit", "-P"),
                content=(program("catatonit", root / "usr/bin/catatonit"),),
            ),
        ),
    ]


def coredns_reference() -> str:
    """The name under which this kubeadm asks for CoreDNS, whose tag is the version that it was released with."""
    asked = run(cache.binary("kubeadm"), "config", "images", "list", f"--kubernetes-version=v{versions.KUBERNETES}")
    found = re.search(r"^\S+/coredns/coredns:\S+$", asked, re.MULTILINE)
    if not found:
        raise ImageError(f"kubeadm config images list names no CoreDNS:\n{asked}")
    return found.group()


def program(path: str, source: Path) -> File:
    """An executable file."""
    return File(path=path, source=source, executable=True)


def netfilter(root: Path) -> list[File | Link]:
    """Debian's netfilter programs with every shared library that they load."""
    extensions = sorted(path.relative_to(root) for path in root.glob("usr/lib/*/xtables/*.so"))
    wanted = [*NETFILTER, *map(str, extensions)]
    libraries = shared_libraries(run(*within(root, "ldd", *(f"/{path}" for path in wanted))))
    return [
        *(program(path, root / path) for path in wanted),
        *(program(path.removeprefix("/"), inside(root, path)) for path in libraries),
        *(Link(path=f"usr/sbin/{name}", target="xtables-nft-multi") for name in XTABLES_NAMES),
        # Debian's merged /usr, which the loader's own path and the libraries' search path rely on.
        *(Link(path=name, target=f"usr/{name}") for name in ("bin", "lib", "lib64", "sbin")),
    ]


def shared_libraries(resolved: str) -> Sequence[str]:
    """Paths of shared libraries, with the loader, as ldd prints them; paths through /lib are those of merged /usr.

    Raises:
        ImageError: one was not found.
    """
    if "not found" in resolved:
        raise ImageError(f"a shared library is missing in the machine's root:\n{resolved}")
    found = re.findall(r"(/\S+\.so\S*) \(0x", resolved)
    return sorted({re.sub(r"^/lib(64)?/", r"/usr/lib\1/", path) for path in found})


def inside(root: Path, path: str) -> Path:
    """The regular file that an absolute path of the root means, following its links there."""
    found = root / path.removeprefix("/")
    while found.is_symlink():
        target = found.readlink()
        found = root / str(target).removeprefix("/") if target.is_absolute() else found.parent / target
    return found
