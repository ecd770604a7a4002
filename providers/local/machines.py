"""Booting and ending machines: systemd-nspawn with a real init, in namespaces and cgroups of its own."""

import contextlib
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from providers.local import cgroups
from providers.local.addresses import Addresses
from providers.local.netns import path as namespace_path
from providers.local.processes import POWER_OFF_SIGNAL, Process, arguments, children, process
from providers.local.roots import Disk, seed
from providers.local.specs import MachineGroup, Slot

NSPAWN_RUN = Path("/run/systemd/nspawn")
INIT_TIMEOUT = 20.0
"""Seconds that nspawn has to start the machine's init; it takes 0.1 on an idle host."""

# Joins the cgroups and becomes nspawn: the machine must be in them before its first process runs.
JOIN = 'while [ "$1" != -- ]; do echo $$ > "$1"; shift; done; shift; exec "$@"'


class BootError(Exception):
    """A machine did not start."""


class Incarnation(BaseModel):
    """One machine in the life of a slot."""

    model_config = ConfigDict(frozen=True)

    id: str
    number: int
    """From 1, counted over the life of the slot."""
    template: str
    booted: float
    """Unix time."""
    container: Process
    """systemd-nspawn, in the host's namespaces."""
    init: Process
    """The machine's PID 1, seen from the host."""


@dataclass(frozen=True)
class Place:
    """Where a slot's machine lives on this host."""

    addresses: Addresses
    slot: Slot
    disk: Disk

    @property
    def label(self) -> str:
        """What its container and its cgroups are called."""
        return f"kha-{self.addresses.name}.{self.slot.machine}"


def boot(place: Place, group: MachineGroup, number: int) -> Incarnation:
    """Boot a fresh machine; its network must be plugged in.

    Raises:
        BootError: its init did not start; the message has the end of its console.
        CommandError: its disk could not be made.
    """
    identity = f"i-{secrets.token_hex(6)}"
    slot, gateway = place.slot, place.addresses.segment(place.slot).gateway
    place.disk.prepare(
        Path(group.image), seed(slot.machine, identity, str(slot.address), str(gateway), group.user_data)
    )
    joins = [str(file) for file in cgroups.make(place.label, group.memory_mb)]
    with place.disk.console.open("ab") as console:
        console.write(f"--- {slot.machine}, incarnation {number}, {identity} ---\n".encode())
        console.flush()
        started = subprocess.Popen(
            ["sh", "-c", JOIN, "sh", *joins, "--", *_nspawn(place)],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    container = process(started.pid)
    return Incarnation(
        id=identity,
        number=number,
        template=group.template,
        booted=time.time(),
        container=container,
        init=_init(place, container),
    )


def _nspawn(place: Place) -> Iterator[str]:
    machine = place.slot.machine
    yield from ("systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit", "--settings=no")
    yield from (f"--directory={place.disk.root}", f"--machine={place.label}", f"--hostname={machine}")
    yield f"--network-namespace-path={namespace_path(place.addresses.machine_namespace(machine))}"
    yield from ("--capability=all", "--bind=/dev/kmsg", "--resolv-conf=off", "--link-journal=no", "--console=read-only")
    # What container runtimes call and nspawn forbids by default.
    yield "--system-call-filter=bpf keyctl perf_event_open add_key"
    if place.disk.containerd.is_dir():
        yield f"--bind={place.disk.containerd}:/var/lib/containerd"
    # Arguments of init, where systemd in a container looks for the kernel's command line: the journal on the console.
    yield from ("systemd.journald.forward_to_console=1", "systemd.journald.max_level_console=info")


def _init(place: Place, container: Process) -> Process:
    deadline = time.monotonic() + INIT_TIMEOUT
    while container.alive() and time.monotonic() < deadline:
        for pid in children(container.pid):
            # The first child sets the machine up in nspawn's own name; PID 1 has another.
            words = arguments(pid)
            if words and not words[0].endswith("systemd-nspawn") and _is_pid_one(pid):
                return process(pid)
        time.sleep(0.02)
    container.send(signal.SIGKILL)
    container.wait(5)
    console = "\n".join(place.disk.last_lines(20))
    raise BootError(f"{place.slot.machine}: its init did not start. The end of its console:\n{console}")


def _is_pid_one(pid: int) -> bool:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return False
    inner = next((line.split()[-1] for line in lines if line.startswith("NSpid:")), "")
    return inner == "1"


def power_off(incarnation: Incarnation, seconds: float) -> None:
    """Ask a machine to shut down in order and wait for it; after `seconds` it is killed."""
    incarnation.init.send(POWER_OFF_SIGNAL)
    if not incarnation.container.wait(seconds):
        kill(incarnation)


def kill(incarnation: Incarnation) -> None:
    """End a machine as a power failure would."""
    incarnation.init.send(signal.SIGKILL)
    if not incarnation.container.wait(10):
        incarnation.container.send(signal.SIGKILL)
        incarnation.container.wait(10)


def forget(place: Place) -> None:
    """Remove what nspawn leaves in /run when its machine is killed; the machine's root must still be mounted."""
    with contextlib.suppress(FileNotFoundError):
        (NSPAWN_RUN / "propagate" / place.label).rmdir()
    if place.disk.root.is_dir():
        status = place.disk.root.stat()
        (NSPAWN_RUN / "locks" / f"inode-{status.st_dev}:{status.st_ino}").unlink(missing_ok=True)


def sweep(label: str) -> None:
    """Kill every machine whose container's name starts with `label`, known or not."""
    for pid in [int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdigit()]:
        words = arguments(pid)
        if words and words[0].endswith("systemd-nspawn") and any(w.startswith(f"--machine={label}") for w in words):
            for child in children(pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
