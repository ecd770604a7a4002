"""A machine's disk: an overlay over the image, fresh for every incarnation, with what cloud-init reads.

<folder>/upper, work, root   the overlay
<folder>/containerd          hard links to the image's container store, bound to /var/lib/containerd
<folder>/console.log         what the machine printed, over all incarnations
"""

import contextlib
import os
import re
import shutil
from pathlib import Path

from providers.local.commands import CommandError, run

CONSOLE_LIMIT = 8 * 1024**2
"""Bytes after which a console starts anew."""
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
"""Colours and cursor movements of systemd's status lines."""


class Disk:
    """The disk of one machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "root"
        self.containerd = folder / "containerd"
        self.console = folder / "console.log"

    def prepare(self, image: Path, files: dict[str, str]) -> None:
        """Make the disk fresh from an image; `files` are paths in the machine (without leading slash) and contents."""
        self.discard()
        for name in ("upper", "work", "root"):
            (self.folder / name).mkdir(parents=True)
        for path, content in files.items():
            target = self.folder / "upper" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content)
        layers = f"lowerdir={image / 'root'},upperdir={self.folder / 'upper'},workdir={self.folder / 'work'}"
        run("mount", "-t", "overlay", "kube-ha", "-o", layers, str(self.root))
        if (image / "containerd").is_dir():
            copy_container_store(image / "containerd", self.containerd)
        self.limit_console()

    def limit_console(self) -> None:
        """Start the console anew when it is too large; what writes to it appends, and so goes on at its beginning."""
        if self.console.exists() and self.console.stat().st_size > CONSOLE_LIMIT:
            os.truncate(self.console, 0)

    def discard(self) -> None:
        """Remove all but the console."""
        unmount(self.root)
        for name in ("upper", "work", "root", "containerd"):
            shutil.rmtree(self.folder / name, ignore_errors=True)

    def remove(self) -> None:
        """Remove the whole folder."""
        self.discard()
        shutil.rmtree(self.folder, ignore_errors=True)

    def last_lines(self, count: int) -> list[str]:
        """The end of the console."""
        if not self.console.exists():
            return []
        with self.console.open("rb") as file:
            file.seek(max(0, self.console.stat().st_size - 64 * 1024))
            text = file.read().decode(errors="replace")
        lines = (ESCAPES.sub("", line).rstrip() for line in text.splitlines())
        return [line for line in lines if line][-count:]


def seed(machine: str, instance: str, address: str, gateway: str, user_data: str) -> dict[str, str]:
    """The files that tell a machine who it is; cloud-init takes them as its NoCloud source."""
    return {
        "etc/hostname": f"{machine}\n",
        "etc/hosts": f"127.0.0.1 localhost\n{address} {machine}\n",
        "etc/resolv.conf": f"nameserver {gateway}\n",
        "var/lib/cloud/seed/nocloud/meta-data": f"instance-id: {instance}\nlocal-hostname: {machine}\n",
        "var/lib/cloud/seed/nocloud/user-data": user_data,
    }


def copy_container_store(template: Path, target: Path) -> None:
    """Hard-link a container store, which takes no room, with real copies of its databases, which are written to."""
    try:
        run("cp", "-a", "--link", str(template), str(target))
    except CommandError:
        # Another file system than the image's has no hard links to it.
        shutil.rmtree(target, ignore_errors=True)
        run("cp", "-a", "--reflink=auto", str(template), str(target))
        return
    for database in target.rglob("*.db"):
        copy = database.with_suffix(".copy")
        shutil.copy2(database, copy)
        copy.replace(database)


def unmount(path: Path) -> None:
    """Unmount whatever is mounted at a path, even when it is in use."""
    while os.path.ismount(path):
        run("umount", "--lazy", str(path))


def mounts_below(folder: Path) -> list[Path]:
    """Mount points below a folder, deepest first."""
    lines = Path("/proc/self/mounts").read_text().splitlines()
    points = [Path(line.split()[1].encode().decode("unicode_escape")) for line in lines]
    return sorted((point for point in points if point.is_relative_to(folder)), reverse=True)


def sweep(folder: Path) -> None:
    """Unmount and remove everything below a folder, known or not."""
    for point in mounts_below(folder):
        with contextlib.suppress(CommandError):
            run("umount", "--lazy", str(point))
    shutil.rmtree(folder, ignore_errors=True)
