"""The smallest image that boots: a shell as init, and the few binaries of this host that the tests run inside."""

import shutil
import subprocess
from pathlib import Path

BINARIES = ("sh", "mkdir", "sleep", "cat", "mount", "umount", "mkfs.ext4", "blkid", "touch", "ls")

# Signal 38 is SIGRTMIN+4, by which systemd as PID 1 powers off.
INIT = """#!/bin/sh
trap 'echo powering off; exit 0' 38
mkdir -p /run/cloud-init
echo "up: $(cat /var/lib/cloud/seed/nocloud/user-data)"
while :; do sleep 3600 & wait; done
"""


def build(folder: Path, init: str = INIT) -> Path:
    """Make the image in `folder`, which is returned."""
    root = folder / "root"
    for name in ("bin", "sbin", "etc", "usr/lib", "proc", "sys", "dev", "run", "tmp", "var", "mnt"):
        (root / name).mkdir(parents=True)
    (root / "usr/lib/os-release").write_text("ID=tiny\n")
    for name in BINARIES:
        found = shutil.which(name, path="/usr/bin:/bin:/usr/sbin:/sbin")
        assert found, f"{name} is not installed on this host"
        _copy(Path(found), root / "bin" / name, root)
    (root / "sbin/init").write_text(init)
    (root / "sbin/init").chmod(0o755)
    return folder


def _copy(binary: Path, target: Path, root: Path) -> None:
    shutil.copy(binary.resolve(), target)
    for line in subprocess.run(["ldd", str(binary)], capture_output=True, text=True, check=True).stdout.splitlines():
        library = next((word for word in line.split() if word.startswith("/")), None)
        if library:
            place = root / library.lstrip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(library, place)
