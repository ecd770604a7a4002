"""The machine under everything: what kind it is, and the kernel's settings that pods need."""

import subprocess
from pathlib import Path
from typing import Final

from components.node.agent.files import write
from components.node.agent.log import Log
from components.node.agent.step import Context, Step
from components.node.kubelet import Host

SYSCTLS: Final = {
    # Pods are behind the machine.
    "net.ipv4.ip_forward": "1",
    # Answers between two pods of one bridge pass the rules that translated the Service's address.
    "net.bridge.bridge-nf-call-iptables": "1",
}
MODULES: Final = ("overlay", "br_netfilter", "nf_tables")


class Kernel(Step):
    """Comes before everything that sets a kernel parameter of its own, as etcd's unit does."""

    name = "kernel"

    def run(self, context: Context) -> None:
        prepare(detect(context.paths.root), context.log)


def detect(root: Path = Path("/")) -> Host:
    """What systemd and the kernel say about this machine."""
    swaps = root / "proc/swaps"
    return Host(
        # systemd writes it where it is the init of a container.
        container=(root / "run/systemd/container").exists(),
        cgroup_v1=not (root / "sys/fs/cgroup/cgroup.controllers").exists(),
        swap=swaps.is_file() and len(swaps.read_text().splitlines()) > 1,
    )


def prepare(host: Host, log: Log) -> None:
    """Make the kernel's settings be there, and in a container the mounts writable that kubelet and runc write to."""
    if host.container:
        _unlock(Path("/proc/self/mounts").read_text())
    for module in MODULES:
        # In a container, or built in: whether the settings below exist is what counts.
        subprocess.run(["modprobe", "--quiet", module], check=False, capture_output=True)
    lines = []
    for name, value in SYSCTLS.items():
        file = Path("/proc/sys") / name.replace(".", "/")
        if not file.exists():
            log("host", f"the kernel has no {name}")
            continue
        lines.append(f"{name} = {value}\n")
        if file.read_text().strip() != value:
            file.write_text(value)
    write(Path("/etc/sysctl.d/90-kube-ha.conf"), "".join(lines).encode(), mode=0o644)


def read_only(mounts: str) -> list[str]:
    """Mount points that runc and the kubelet write to and that are read-only, from /proc/self/mounts."""
    wanted = []
    for line in mounts.splitlines():
        _, point, _, options, *_ = line.split(" ")
        inside = point in {"/sys", "/proc/sys"} or point.startswith("/sys/fs/cgroup")
        if inside and "ro" in options.split(","):
            wanted.append(point)
    return wanted


def _unlock(mounts: str) -> None:
    for point in read_only(mounts):
        # A plain remount asks the superblock, which is the host's: busy.
        subprocess.run(["mount", "-o", "remount,bind,rw", point], check=True, capture_output=True)
    # Volumes that a pod mounts must be seen by the kubelet.
    subprocess.run(["mount", "--make-rshared", "/"], check=True, capture_output=True)
