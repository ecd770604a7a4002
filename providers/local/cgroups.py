"""A cgroup of its own for each machine, in every hierarchy that the host has mounted (v1, v2, or both).

Machines that were left in the supervisor's own cgroup would collide: systemd-nspawn with --keep-unit puts every machine
into the same subgroup, `payload`.
"""

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

PARENT = "kube-ha"

HEAVY, DEFAULT = 800, 100
"""In units of cgroup v2's `cpu.weight`, for all machines together. In a region they have processors of their own: here
what else the host runs must not starve them. But the threads which write to the machines' disks are the kernel's own,
outside of the group, and wait for a heavy one also where all that it runs is `yielding`: flushes took up to 220 ms
(docs/measurements.md). So the group is as heavy as one task while a machine of it yields."""

_weighing = threading.Lock()


def hierarchies() -> list[Path]:
    """Mount points of all cgroup hierarchies."""
    mounts = (line.split() for line in Path("/proc/self/mounts").read_text().splitlines())
    return [Path(fields[1]) for fields in mounts if fields[2] in ("cgroup", "cgroup2")]


def make(name: str, memory_mb: int) -> list[Path]:
    """Make a machine's cgroups with a memory limit in MiB; the files into which its first process writes its pid.

    It has only what processors others leave idle until `yielding` says otherwise.
    """
    joins = []
    for hierarchy in hierarchies():
        group = hierarchy / PARENT / name
        group.parent.mkdir(exist_ok=True)
        if (hierarchy / "cpuset.cpus").exists() and (group.parent / "cgroup.clone_children").exists():
            # A new v1 cpuset is empty, and an empty one takes no process.
            for file in ("cpuset.cpus", "cpuset.mems"):
                (group.parent / file).write_text((hierarchy / file).read_text())
            (group.parent / "cgroup.clone_children").write_text("1")
        group.mkdir(exist_ok=True)
        for file in ("memory.limit_in_bytes", "memory.max"):
            if (group / file).exists():
                (group / file).write_text(str(memory_mb * 1024 * 1024))
        joins.append(group / "cgroup.procs")
    yielding(name, only_idle=True)
    return joins


def yielding(name: str, *, only_idle: bool) -> None:
    """Give a machine only what processors all others leave idle, or its share again; harmless when it does not run.

    A low weight is not enough, since whoever runs ends his slice first, and a request that goes through ten processes
    waits for ten (measured: docs/measurements.md).
    """
    with _weighing:
        for hierarchy in hierarchies():
            if (file := hierarchy / PARENT / name / "cpu.idle").exists():
                # The kernel itself puts the weight back to its default.
                file.write_text(str(int(only_idle)))
            _weigh_all(hierarchy / PARENT)


def _weigh_all(group: Path) -> None:
    weight = DEFAULT if any(_yields(file) for file in group.glob("*/cpu.idle")) else HEAVY
    # v1 counts in shares, of which 1024 are v2's default of 100.
    for file, value in (("cpu.weight", weight), ("cpu.shares", weight * 1024 // 100)):
        if (group / file).exists():
            (group / file).write_text(str(value))


def _yields(idle: Path) -> bool:
    try:
        return idle.read_text().strip() == "1"
    except OSError:
        return False  # A machine that was just removed.


def remove(name: str) -> None:
    """Remove a machine's cgroups and all below them; what is already gone is fine."""
    for hierarchy in hierarchies():
        group = hierarchy / PARENT / name
        deadline = time.monotonic() + 5
        # Killed processes leave their cgroup only when the kernel is done with them.
        while group.exists() and not _remove_tree(group) and time.monotonic() < deadline:
            time.sleep(0.05)
        with _weighing:
            _weigh_all(hierarchy / PARENT)
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
