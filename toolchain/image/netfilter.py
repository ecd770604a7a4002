"""Debian's netfilter programs as the content of an image: what kube-proxy starts, and all that it loads."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from toolchain.image.command import ImageError, run, within
from toolchain.image.oci import File, Link

XTABLES: Final = "usr/sbin/xtables-nft-multi"

XTABLES_NAMES: Final = (
    "iptables",
    "iptables-restore",
    "iptables-save",
    "ip6tables",
    "ip6tables-restore",
    "ip6tables-save",
)
"""Names under which xtables-nft-multi is started."""

PROGRAMS: Final = ("usr/sbin/nft", XTABLES, "usr/sbin/conntrack")


def content(root: Path) -> list[File | Link]:
    """Debian's netfilter programs with every shared library that they load."""
    extensions = sorted(path.relative_to(root) for path in root.glob("usr/lib/*/xtables/*.so"))
    wanted = [*PROGRAMS, *map(str, extensions)]
    libraries = shared_libraries(run(*within(root, "ldd", *(f"/{path}" for path in wanted))))
    return [
        *(File(path=path, source=root / path, executable=True) for path in wanted),
        *(File(path=path.removeprefix("/"), source=inside(root, path), executable=True) for path in libraries),
        *(Link(path=f"usr/sbin/{name}", target=Path(XTABLES).name) for name in XTABLES_NAMES),
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
