"""The operating system of machines: Debian 12 and what Kubernetes, etcd and the balancers need from it."""

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from toolchain.image.command import ImageError, run

SUITE: Final = "bookworm"

PACKAGES: Final = (
    "ca-certificates",
    "catatonit",  # the process of pod sandboxes, see container_images.py
    "cloud-init",
    "conntrack",
    "curl",
    "dbus",
    "e2fsprogs",
    "ethtool",
    "haproxy",
    "iproute2",
    "iptables",
    "iputils-ping",
    "keepalived",
    "kmod",
    "nftables",
    "procps",
    "python3",
    "socat",
    "systemd",
    "systemd-sysv",
    "udev",
    "util-linux",
)

UNREAD: Final = ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/info/*", "/usr/share/locale/*")
"""What nobody reads on a machine without people."""

CARRIED: Final = ("Acquire::http::", "Acquire::https::", "Acquire::Check-")
"""This machine's apt settings that decide whether a mirror can be reached: proxies, certificates, clock checks."""


def bootstrap(folder: Path) -> None:
    """Make a root file system in `folder`, from the mirrors that this machine's own apt uses.

    Where apt here knows no mirror of the suite (another distribution), from mmdebstrap's own default.

    Raises:
        ImageError: mmdebstrap is not installed or failed.
    """
    if not shutil.which("mmdebstrap"):
        raise ImageError("mmdebstrap is not installed: apt-get install mmdebstrap, or run `make tools`")
    sources = mirrors(asked("apt-get", "indextargets", "--format", "$(CREATED_BY) $(REPO_URI) $(RELEASE) $(COMPONENT)"))
    settings = (f"--aptopt={setting}" for setting in carried(asked("apt-config", "dump")))
    excluded = (f"--dpkgopt=path-exclude={pattern}" for pattern in UNREAD)
    run(
        "mmdebstrap",
        "--mode=root",
        "--variant=minbase",
        "--aptopt=APT::Install-Recommends false",
        *settings,
        *excluded,
        f"--include={','.join(PACKAGES)}",
        SUITE,
        folder,
        *(["-"] if sources else []),
        feed="\n".join(sources),
    )
    # A machine is not this machine: neither its proxies nor its clock are the machine's own.
    (folder / "etc/apt/apt.conf.d/99mmdebstrap").unlink(missing_ok=True)


def asked(*command: str) -> str:
    """What a program of apt says; nothing where there is no apt."""
    if not shutil.which(command[0]):
        return ""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def mirrors(targets: str) -> list[str]:
    """Lines of a sources.list for the suite, its updates and its security fixes, from apt's list of index targets.

    One target a line: what created it, address, release, component.
    """
    wanted = (SUITE, f"{SUITE}-updates", f"{SUITE}-security")
    found = (line.split() for line in targets.splitlines())
    return sorted(
        {
            f"deb {address} {release} {component}"
            for created_by, address, release, component in (words for words in found if len(words) == 4)
            if created_by == "Packages" and release in wanted
        }
    )


def carried(configuration: str) -> Iterable[str]:
    """The settings of this machine's apt that the build needs too, from `apt-config dump`."""
    return [line.removesuffix(";") for line in configuration.splitlines() if line.startswith(CARRIED)]
