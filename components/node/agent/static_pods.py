"""The control plane's static pods as processes: found, ended one by one, or stopped for good."""

import os
import signal
import time
from pathlib import Path
from typing import Final

from components.node.health import grace_period_seconds

MANIFESTS: Final = "etc/kubernetes/manifests"
API_SERVER: Final = "kube-apiserver"
ELECTED: Final = ("kube-scheduler", "kube-controller-manager")
"""What gives its lease to another master's when it ends."""


class StopError(Exception):
    """A component did not end in time."""


def processes(component: str, proc: Path = Path("/proc")) -> list[int]:
    """Process ids of a component; the kubelet starts one."""
    return [int(folder.name) for folder in proc.iterdir() if folder.name.isdigit() and _program(folder) == component]


def terminate(component: str) -> None:
    """End a component cleanly: it gives its lease back, and the kubelet starts it again."""
    for process in processes(component):
        os.kill(process, signal.SIGTERM)


def end(component: str) -> None:
    """End a component that hangs; the kubelet starts it again."""
    for process in processes(component):
        os.kill(process, signal.SIGKILL)


def stop(manifests: Path, cloud: str) -> None:
    """End the control plane of this machine without a client's notice.

    The API server says that it is not ready, serves until no load balancer of `cloud` sends it anything, finishes what
    it has, and ends. The kubelet starts nothing whose manifest is gone.

    Raises:
        StopError: it was still there after its grace period.
    """
    for manifest in manifests.glob("*.yaml"):
        manifest.unlink()
    await_end(API_SERVER, grace_period_seconds(cloud))


def await_end(component: str, seconds: float) -> None:
    """Wait until there is no process of a component.

    Raises:
        StopError: there still is after `seconds`.
    """
    end = time.monotonic() + seconds
    while processes(component):
        if time.monotonic() > end:
            raise StopError(f"{component} did not end within {seconds:.0f} s")
        time.sleep(0.2)


def _program(folder: Path) -> str:
    try:
        return Path((folder / "cmdline").read_bytes().split(b"\0")[0].decode(errors="replace")).name
    except OSError:
        # It ended while we looked.
        return ""
