"""The member's volume: attached, formatted only when it is blank, mounted."""

import json
import subprocess
from pathlib import Path
from typing import Final

from components.node.agent.cloud import CloudError
from components.node.agent.files import write
from components.node.agent.step import Context, Step
from components.node.machine import Machine

FILE_SYSTEM: Final = "ext4"

PROBED_BYTES: Final = 1024 * 1024
"""Read before a device counts as blank: one that cannot be read has no signature either."""


class VolumeError(Exception):
    """The volume is not what a member's volume is. Nothing was changed."""


class Volume(Step):
    """Mounts the volume at etcd's folder."""

    name = "volume"

    def applies(self, machine: Machine) -> bool:
        return machine.carries_member

    def run(self, context: Context) -> None:
        target = context.paths.etcd_volume
        if mounted_from(target):
            return
        device = _attach(context)
        found = signatures(device)
        if not found:
            context.log(self.name, f"{device} is blank: making {FILE_SYSTEM}")
            _run("mkfs.ext4", "-q", "-L", "etcd", str(device))
        elif found != [FILE_SYSTEM]:
            raise VolumeError(
                f"{device} holds {', '.join(found)}; a member's volume is blank or holds {FILE_SYSTEM}. "
                "Nothing was written. Give the member another volume, or wipe this one by hand (wipefs)"
            )
        target.mkdir(parents=True, exist_ok=True)
        _run("mount", "-t", FILE_SYSTEM, "-o", "noatime", str(device), str(target))
        context.log(self.name, f"{device} mounted at {target}")

    def leave(self, context: Context) -> None:
        if mounted_from(context.paths.etcd_volume):
            _run("umount", str(context.paths.etcd_volume))


def signatures(device: Path) -> list[str]:
    """What libblkid recognises on a device: file systems, partition tables, RAID members; empty when blank.

    Raises:
        VolumeError: the device cannot be read.
    """
    try:
        with device.open("rb") as file:
            file.read(PROBED_BYTES)
    except OSError as error:
        raise VolumeError(f"{device}: cannot be read: {error.strerror}") from None
    answer = _run("wipefs", "--no-act", "--json", str(device))
    found = json.loads(answer)["signatures"] if answer.strip() else []
    return sorted({str(entry["type"]) for entry in found})


def mounted_from(target: Path) -> str | None:
    """The device that is mounted at `target`, if any is."""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        device, where, *_ = line.split()
        if where == str(target):
            return device
    return None


def _attach(context: Context) -> Path:
    """The device; where the cloud does not answer, the one that it attached to this machine before."""
    remembered = context.paths.state / "device"
    try:
        device = context.cloud.attach_volume()
    except CloudError:
        if not remembered.is_file() or not Path(remembered.read_text()).is_block_device():
            raise
        return Path(remembered.read_text())
    write(remembered, device.encode())
    return Path(device)


def _run(*command: str) -> str:
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    if answer.returncode != 0:
        raise VolumeError(f"{' '.join(command)}: {answer.stderr.strip() or answer.returncode}")
    return answer.stdout
