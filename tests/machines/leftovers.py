"""What a stack has on the host, found by its names and addresses, whatever the records say."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from providers.local import cgroups, netns
from tests.machines.stack import Stack


def of(stack: Stack, root: Path) -> list[str]:
    """Everything of a stack, and of the cloud whose root this is, that is on the host; nothing after `make down`."""
    return [
        *(f"process {found}" for found in processes(stack, root)),
        *(f"mount {line}" for line in Path("/proc/self/mounts").read_text().splitlines() if str(root) in line),
        *(f"namespace {name}" for name in netns.names(label(stack))),
        *(f"cgroup {name}" for name in cgroups.names(label(stack))),
        *(f"loop device {line}" for line in said("losetup", "--list", "--noheadings") if str(root) in line),
        *(f"route {line}" for line in said("ip", "route", "show", "table", "all") if addresses(stack) in line),
        *(f"address {line}" for line in said("ip", "-oneline", "address") if addresses(stack) in line),
        *(f"rule {line}" for line in said("nft", "list", "ruleset") if addresses(stack) in line),
        *(f"nspawn {path}" for path in Path("/run/systemd/nspawn").rglob(f"{label(stack)}*")),
        *(f"file {path}" for path in [root] if path.exists()),
    ]


def label(stack: Stack) -> str:
    """What the names of the stack's machines and namespaces start with."""
    return f"kha-{stack.name}."


def addresses(stack: Stack) -> str:
    """What the stack's addresses start with."""
    return stack.declared.cidr.partition(".0.0/")[0] + "."


def processes(stack: Stack, root: Path) -> Iterator[str]:
    """Processes in a cgroup of the stack's machines, and those that serve its cloud: the supervisor, plugins."""
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            inside = label(stack) in (folder / "cgroup").read_text()
            words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            variables = (folder / "environ").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        serves = f"KUBE_HA_LOCAL_ROOT={root}" in variables and ("providers" in words or "pulumi" in words)
        if inside or serves:
            yield f"{folder.name} {words}"


def said(*command: str) -> list[str]:
    """The lines that a command prints."""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def settled(stack: Stack, root: Path) -> list[str]:
    """What is left after a moment: a plugin whose host was gone before its engine ends a few seconds later."""
    deadline = time.monotonic() + 60
    while (left := of(stack, root)) and time.monotonic() < deadline:
        time.sleep(1)
    return left
