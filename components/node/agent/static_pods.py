"""The control plane's static pods as processes: found, ended one by one, or stopped for good."""

import os
import signal
import time
from pathlib import Path
from typing import Final

from components.node.agent.step import Context
from components.node.health import grace_period_seconds

MANIFESTS: Final = "etc/kubernetes/manifests"
API_SERVER: Final = "kube-apiserver"


class StopError(Exception):
    """A static pod did not end within its grace period."""


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


def stop(context: Context) -> None:
    """End the control plane of this machine without a client's notice.

    The API server says that it is not ready, serves until no load balancer sends it anything, finishes what it has,
    and ends. The kubelet starts nothing whose manifest is gone.

    Raises:
        StopError: it was still there after its grace period.
    """
    for manifest in (context.paths.root / MANIFESTS).glob("*.yaml"):
        manifest.unlink()
    end = time.monotonic() + grace_period_seconds(context.machine.cloud)
    while processes(API_SERVER):
        if time.monotonic() > end:
            raise StopError(f"{API_SERVER} did not end within its grace period")
        time.sleep(0.2)


def _program(folder: Path) -> str:
    try:
        return Path((folder / "cmdline").read_bytes().split(b"\0")[0].decode(errors="replace")).name
    except OSError:
        # It ended while we looked.
        return ""
