"""What this host has to give, and what of it a resource needs."""

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

from providers.local import specs
from providers.local.checks import Failure, new_disk_mb, new_memory_mb
from providers.local.commands import run
from providers.local.state import Resource

COMMANDS = ("ip", "nft", "losetup", "mount", "sysctl", "systemd-nspawn")


@dataclass(frozen=True)
class Host:
    """Facts of this host at one moment."""

    is_root: bool
    memory_mb: int
    """MiB available to new processes."""
    disk_mb: int
    """MiB free where the local cloud keeps its files."""
    routes: tuple[IPv4Network, ...]
    """Networks that the host routes by itself, without those of the local cloud."""
    missing: tuple[str, ...]
    """Commands that are needed and not installed."""


def look(root: Path) -> Host:
    """This host now."""
    place = next(folder for folder in (root, *root.parents) if folder.exists())
    memory = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemAvailable:"))
    routes = json.loads(run("ip", "-json", "-4", "route", "show")) if shutil.which("ip") else []
    own = [route for route in routes if route["dst"] != "default" and not route.get("dev", "").startswith("kha-")]
    return Host(
        is_root=os.geteuid() == 0,
        memory_mb=int(memory.split()[1]) // 1024,
        disk_mb=shutil.disk_usage(place).free // 1024**2,
        routes=tuple(IPv4Network(route["dst"], strict=False) for route in own),
        missing=tuple(command for command in COMMANDS if not shutil.which(command)),
    )


def lacks(
    resource: Resource, planned: Sequence[Resource], existing: Sequence[Resource], host: Host
) -> Iterator[Failure]:
    """What the host lacks for a resource, given what else is planned and what exists already."""
    spec = resource.spec
    if isinstance(spec, specs.Network):
        if not host.is_root:
            yield "name", "networks and machines of the local cloud need root: run as root, or with sudo"
        if host.missing:
            yield "name", f"{', '.join(host.missing)}: not installed: run `make tools`"
        for route in host.routes:
            if IPv4Network(spec.cidr).overlaps(route):
                yield "cidr", f"{spec.cidr} overlaps {route}, which this host routes already: choose another /16"
    elif isinstance(spec, specs.MachineGroup):
        if not (Path(spec.image) / "root").is_dir():
            yield "image", f"{spec.image} has no machine image (a folder `root`): run `make tools`"
        needed = new_memory_mb([*planned, resource], existing)
        if needed > host.memory_mb:
            yield "memoryMb", f"the machines need {needed} MiB of memory; this host has {host.memory_mb} MiB available"
    elif isinstance(spec, specs.Volume):
        needed = new_disk_mb([*planned, resource], existing)
        if needed > host.disk_mb:
            yield "sizeMb", f"the volumes need {needed} MiB of disk; this host has {host.disk_mb} MiB free"
    elif isinstance(spec, specs.BucketObject) and not Path(spec.source).is_file():
        yield "source", f"{spec.source}: no such file: run `make tools`"
