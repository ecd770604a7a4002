"""Volumes: sparse files, attached to a machine as a loop device."""

import json
import os
import stat
import time
from pathlib import Path

from providers.local.commands import CommandError, run
from providers.local.machines import Incarnation

DETACH_TIMEOUT = 20.0
"""Seconds that a dead machine's mounts may take to go; the kernel needs well under one."""


class VolumeBusyError(Exception):
    """A volume is still held by a machine that was to be gone."""


def create(file: Path, size_mb: int) -> None:
    """Make an empty volume, or let an existing one grow to `size_mb` MiB."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("ab") as volume:
        os.truncate(volume.fileno(), max(volume.tell(), size_mb * 1024**2))
    for device in devices(file):
        run("losetup", "--set-capacity", device)


def wipe(file: Path) -> None:
    """Empty a volume as if its disk had been exchanged; it must be detached."""
    size = file.stat().st_size
    os.truncate(file, 0)
    os.truncate(file, size)


def remove(file: Path) -> None:
    """Remove a volume and its content."""
    detach(file)
    file.unlink(missing_ok=True)


def attach(file: Path, incarnation: Incarnation) -> str:
    """Give a machine the volume as a block device; the device's path in the machine. Asked again it is the same.

    Raises:
        CommandError: the host has no loop device to give.
    """
    attached = devices(file)
    device = attached[0] if attached else run("losetup", "--find", "--show", "--nooverlap", str(file)).strip()
    # The machine's /dev is its own: the node is made there through the host's view of the machine's mounts.
    node = Path(f"/proc/{incarnation.init.pid}/root") / device.lstrip("/")
    if not node.exists():
        os.mknod(node, stat.S_IFBLK | 0o600, Path(device).stat().st_rdev)
    return device


def detach(file: Path) -> None:
    """Take a volume away from the machine that had it, which must have ended.

    Raises:
        VolumeBusyError: something still uses it.
    """
    deadline = time.monotonic() + DETACH_TIMEOUT
    while attached := devices(file):
        for device in attached:
            # With a mount left it only marks the device, which then goes with the mount; so ask until it is gone.
            run("losetup", "--detach", device)
        if time.monotonic() > deadline:
            raise VolumeBusyError(f"{file}: {', '.join(attached)} is still in use after {DETACH_TIMEOUT:g} s")
        time.sleep(0.05)


def devices(file: Path) -> list[str]:
    """Loop devices that hold a file."""
    if not file.exists():
        return []
    listed = run("losetup", "--json", "--list", "--output", "NAME", "--associated", str(file))
    return [entry["name"] for entry in json.loads(listed)["loopdevices"]] if listed.strip() else []


def sweep(folder: Path) -> None:
    """Detach every loop device that holds a file below a folder, known or not, deleted or not."""
    listed = run("losetup", "--json", "--list", "--output", "NAME,BACK-FILE")
    for entry in json.loads(listed)["loopdevices"] if listed.strip() else []:
        if Path(entry["back-file"].removesuffix(" (deleted)")).is_relative_to(folder):
            try:
                run("losetup", "--detach", entry["name"])
            except CommandError:
                continue
