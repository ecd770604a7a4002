"""A cgroup of its own for each machine, in every hierarchy that the host has mounted (v1, v2, or both).

Machines that were left in the supervisor's own cgroup would collide: systemd-nspawn with --keep-unit puts every machine
into the same subgroup, `payload`.
"""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

PARENT = "kube-ha"

CPU_WEIGHTS = {"all machines": 800, "a machine": 100, "a machine that boots": 25}
"""In units of cgroup v2's `cpu.weight` (default 100). Machines of a real cloud have processors of their own: here what
else the host runs must not starve them, and a machine that boots must not starve those that serve."""


def hierarchies() -> list[Path]:
    """Mount points of all cgroup hierarchies."""
    mounts = (line.split() for line in Path("/proc/self/mounts").read_text().splitlines())
    return [Path(fields[1]) for fields in mounts if fields[2] in ("cgroup", "cgroup2")]


def make(name: str, memory_mb: int) -> list[Path]:
    """Make a machine's cgroups with a memory limit in MiB; the files into which its first process writes its pid."""
    joins = []
    for hierarchy in hierarchies():
        group = hierarchy / PARENT / name
        group.parent.mkdir(exist_ok=True)
        _weigh(group.parent, CPU_WEIGHTS["all machines"])
        if (hierarchy / "cpuset.cpus").exists() and (group.parent / "cgroup.clone_children").exists():
            # A new v1 cpuset is empty, and an empty one takes no process.
            for file in ("cpuset.cpus", "cpuset.mems"):
                (group.parent / file).write_text((hierarchy / file).read_text())
            (group.parent / "cgroup.clone_children").write_text("1")
        group.mkdir(exist_ok=True)
        for file in ("memory.limit_in_bytes", "memory.max"):
            if (group / file).exists():
                (group / file).write_text(str(memory_mb * 1024 * 1024))
        _weigh(group, CPU_WEIGHTS["a machine that boots"])
        joins.append(group / "cgroup.procs")
    return joins


def booted(name: str) -> None:
    """Give a machine that became ready its full share of the processors."""
    for hierarchy in hierarchies():
        _weigh(hierarchy / PARENT / name, CPU_WEIGHTS["a machine"])


def yielding(name: str, *, only_idle: bool) -> None:
    """Give a machine only what processors all others leave idle, or its share again; harmless when it does not run.

    For machines that are cut off: an API server whose etcd has no leader opens its watches again without a pause, and
    spins. In a region it would do so on processors of its own. A low weight is not enough, since whoever runs ends his
    slice first, and a request that goes through ten processes waits for ten (measured: docs/measurements.md).
    """
    for hierarchy in hierarchies():
        if (file := hierarchy / PARENT / name / "cpu.idle").exists():
            file.write_text(str(int(only_idle)))


def _weigh(group: Path, weight: int) -> None:
    # The kernel refuses a weight for what gets only idle time; a machine may say that it is ready as it is cut off.
    if (idle := group / "cpu.idle").exists() and idle.read_text().strip() == "1":
        return
    # v1 counts in shares, of which 1024 are v2's default of 100.
    for file, value in (("cpu.weight", weight), ("cpu.shares", weight * 1024 // 100)):
        if (group / file).exists():
            (group / file).write_text(str(value))


def remove(name: str) -> None:
    """Remove a machine's cgroups and all below them; what is already gone is fine."""
    for hierarchy in hierarchies():
        group = hierarchy / PARENT / name
        deadline = time.monotonic() + 5
        # Killed processes leave their cgroup only when the kernel is done with them.
        while group.exists() and not _remove_tree(group) and time.monotonic() < deadline:
            time.sleep(0.05)
        with contextlib.suppress(OSError):
            (hierarchy / PARENT).rmdir()


def names(prefix: str) -> set[str]:
    """Names of the machines' cgroups that start with `prefix`."""
    return {group.name for hierarchy in hierarchies() for group in (hierarchy / PARENT).glob(f"{prefix}*")}


def _remove_tree(group: Path) -> bool:
    for path in _deepest_first(group):
        try:
            path.rmdir()
        except FileNotFoundError:
            continue
        except OSError:
            return False
    return True


def _deepest_first(group: Path) -> Iterator[Path]:
    for folder, _, _ in os.walk(group, topdown=False):
        yield Path(folder)
