"""What happens to a local machine's disk: power that fails before a sync, and a disk that has become slow."""

import fcntl
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

SHUTDOWN: Final = 0x8004587D
"""FS_IOC_SHUTDOWN of the kernel's uapi, which ext4 and XFS have for crash tests."""
WITHOUT_FLUSH: Final = 2
"""FS_SHUTDOWN_FLAGS_NOLOGFLUSH: neither data nor journal goes to the disk any more."""

THROTTLE: Final = "blkio.throttle.write_iops_device"
HIERARCHY: Final = Path("/sys/fs/cgroup/blkio")
SLOW_WRITES: Final = 20
"""Writes a second of a slow disk: one sync of etcd's log takes about 0.1 s (measured), where 0.01 s are wanted."""
LOOP: Final = 7
"""Major number of loop devices, which the local cloud's volumes are."""


class ThrottleError(Exception):
    """The kernel has no way to slow a disk down; says what is missing."""


def lose_unsynced(mount: Path) -> None:
    """End a volume's file system as a power failure would: what was not synced is gone.

    Killing the processes alone would prove nothing, since the kernel keeps what they wrote and writes it out later.
    Nothing happens where no volume is mounted.
    """
    folder = os.open(mount, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if os.major(os.fstat(folder).st_dev) == LOOP:
            fcntl.ioctl(folder, SHUTDOWN, struct.pack("I", WITHOUT_FLUSH))
    finally:
        os.close(folder)


def throttle(mount: Path, pid: int, writes: int) -> None:
    """Limit the writes a second to the volume mounted there, for the processes of the machine whose init is `pid`.

    0 is no limit. The journal of the file system is written by the kernel, in the root group.

    Raises:
        ThrottleError: this kernel cannot, or no volume is mounted.
    """
    device = mount.stat().st_dev
    if not (HIERARCHY / THROTTLE).exists():
        raise ThrottleError(f"{HIERARCHY / THROTTLE} is not there: no cgroup v1 hierarchy of blkio with throttling")
    if os.major(device) != LOOP:
        raise ThrottleError(f"{mount} is not a volume of its own")
    for group in (HIERARCHY, *_groups(pid)):
        (group / THROTTLE).write_text(f"{os.major(device)}:{os.minor(device)} {writes}")


def unthrottle() -> None:
    """End every limit on writes to volumes."""
    if not (HIERARCHY / THROTTLE).exists():
        return
    for folder, _, files in os.walk(HIERARCHY):
        if THROTTLE in files:
            file = Path(folder) / THROTTLE
            for line in file.read_text().splitlines():
                device = line.split()[0]
                if device.startswith(f"{LOOP}:"):
                    file.write_text(f"{device} 0")


def _groups(pid: int) -> Iterator[Path]:
    lines = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
    mine = next(path for _, names, path in (line.split(":", 2) for line in lines) if "blkio" in names.split(","))
    for folder, _, _ in os.walk(HIERARCHY / mine.lstrip("/")):
        yield Path(folder)
