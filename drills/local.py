"""Faults of the local cloud: through its supervisor, and inside its machines."""

import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from components.node.agent.step import Paths
from components.node.keepalived import INTERFACE
from drills import disk
from drills.conditions import program
from drills.fault import Inject, Machine
from drills.injector import InjectionError
from providers.local.client import Client, CloudRefusalError, UnreachableError
from providers.local.cuts import CutKind
from providers.local.faults import Faults, NotRunningError
from providers.local.view import MachineView

SLOW_LINK: Final = ("rate", "1mbit", "burst", "10kb", "latency", "200ms")
"""Of the machine's own interface, outwards; what waits for longer is dropped. The kernel's token bucket (tc-tbf(8))."""
FILLER: Final = Paths().etcd_volume / "drill-filler"
FILL: Final = f"""
fallocate --length "$(df --output=avail --block-size=1 {FILLER.parent} | tail -n 1)" {FILLER}
cat /dev/zero >> {FILLER} 2>/dev/null || sync
"""
"""Takes at once what is free to all, and then, by writing, what is kept for root: ends when nothing is left to take."""
PROGRAMS: Final = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "haproxy",
    "keepalived",
)
SEARCH: Final = f"PATH={Paths().binaries}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class LocalInjector:
    """The machines of one stack of the local cloud."""

    inside = True
    recovery_seconds = 180.0

    def __init__(self, stack: str) -> None:
        self._stack = stack
        self._client = Client()
        self._faults = Faults(stack, self._client)
        self._harmed: set[str] | None = None
        """Machines that `heal` has to enter; None: all of them, since a drill before may have left something."""

    def machines(self) -> Sequence[Machine]:
        """See `Injector`."""
        views = self._views()
        if not views:
            raise InjectionError(f"stack {self._stack!r} has no machines in the local cloud. Run `make up` first.")
        external = any(view.role == "member" for view in views)
        carriers = "member" if external else "master"
        return [
            Machine(view.machine, view.role, view.zone, view.address, member=view.role == carriers) for view in views
        ]

    def program(self) -> str:
        """See `Injector`."""
        if rolling := [view.machine for view in self._views() if view.template != view.desired_template]:
            raise InjectionError(f"{', '.join(rolling)} of stack {self._stack}: not yet what the stack says; wait.")
        with _explained():
            specs = [one["spec"] for one in self._client.resources() if one["owner"]["stack"] == self._stack]
        return program(spec["user_data"] for spec in specs if "user_data" in spec)

    def incarnation(self, machine: str) -> str:
        """See `Injector`."""
        return next((view.instance for view in self._views() if view.machine == machine and view.init_pid), "")

    def unable(self, step: Inject) -> str | None:
        """See `Injector`."""
        return None

    def kill(self, machine: str) -> None:
        """See `Injector`."""
        with _explained():
            # One that is gone already has nothing left to lose.
            with suppress(FileNotFoundError, ProcessLookupError):
                disk.lose_unsynced(_volume_of(self._pid(machine)))
            self._faults.kill(machine)

    def power_off(self, machine: str) -> None:
        """See `Injector`."""
        with _explained():
            self._faults.power_off(machine)

    def cut(self, target: str, how: str) -> None:
        """See `Injector`."""
        with _explained():
            self._faults.cut(target, CutKind(how))

    def signal(self, machine: str, program: str, signal: str) -> None:
        """See `Injector`."""
        self._harm(machine)
        self.run(machine, "pkill", f"-{signal}", "--exact", _command_name(program))

    def wipe(self, machine: str) -> None:
        """See `Injector`."""
        with _explained():
            self._faults.wipe(self._volume(machine))

    def fill(self, machine: str) -> None:
        """See `Injector`."""
        self._harm(machine)
        self.run(machine, "sh", "-c", FILL, timeout=120)

    def slow(self, machine: str, what: str) -> None:
        """See `Injector`."""
        self._harm(machine)
        pid = self._pid(machine)
        if what == "link":
            _run([*_network_of(pid), "tc", "qdisc", "replace", "dev", INTERFACE, "root", "tbf", *SLOW_LINK])
            return
        with _explained():
            disk.throttle(_volume_of(pid), pid, disk.SLOW_WRITES)

    def heal(self) -> None:
        """See `Injector`."""
        views = self._views()
        if not views:
            return
        disk.unthrottle()
        with _explained():
            self._faults.heal()
        # Entering ten machines takes both cores for a third of a second, in which a zone that was cut off returns.
        harmed = [view for view in views if view.init_pid and (self._harmed is None or view.machine in self._harmed)]
        self._harmed = set()
        if harmed:
            with ThreadPoolExecutor(max_workers=len(harmed)) as pool:
                list(pool.map(self._heal_inside, harmed))

    def run(self, machine: str, *command: str, timeout: float = 20) -> str:
        """See `Injector`."""
        with _explained():
            return _run(self._faults.command(machine, "env", SEARCH, *command), timeout=timeout)

    def _heal_inside(self, view: MachineView) -> None:
        """Continue stopped programs, free the disk, end slowness."""
        programs = "|".join(map(_command_name, PROGRAMS))
        try:
            self.run(view.machine, "sh", "-c", f"rm -f {FILLER}; pkill -CONT --exact '{programs}' || true")
            _run([*_network_of(view.init_pid or 0), "tc", "qdisc", "replace", "dev", INTERFACE, "root", "noqueue"])
        except InjectionError:
            # A machine that dies meanwhile needs none of it any more; another is tried again by the next heal.
            self._harm(view.machine)

    def _harm(self, machine: str) -> None:
        if self._harmed is not None:
            self._harmed.add(machine)

    def _views(self) -> list[MachineView]:
        # Asking a cloud that is not there would start its supervisor.
        if not self._client.has_anything:
            return []
        with _explained():
            return self._faults.machines()

    def _pid(self, machine: str) -> int:
        for view in self._views():
            if view.machine == machine and view.init_pid:
                return view.init_pid
        raise InjectionError(f"machine {machine} of stack {self._stack} does not run.")

    def _volume(self, machine: str) -> str:
        with _explained():
            resources = self._client.resources()
        for slot in _slots(resources, self._stack):
            if slot["machine"] == machine and "volume" in slot:
                return str(slot["volume"])
        raise InjectionError(f"machine {machine} of stack {self._stack} has no volume.")


def _slots(resources: Sequence[dict[str, Any]], stack: str) -> Iterator[dict[str, Any]]:
    for resource in resources:
        if resource["owner"]["stack"] == stack:
            yield from resource["spec"].get("slots", ())


def _command_name(program: str) -> str:
    """A program as the kernel, and so pkill, names its processes."""
    return program[:15]


def _network_of(pid: int) -> list[str]:
    return ["nsenter", f"--target={pid}", "--net", "--"]


def _volume_of(pid: int) -> Path:
    """Where the machine with this init has its member's volume, as seen from the host."""
    return Path(f"/proc/{pid}/root") / Paths().etcd_volume.relative_to("/")


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except (CloudRefusalError, UnreachableError, NotRunningError, disk.ThrottleError) as error:
        raise InjectionError(str(error)) from error


def _run(command: Sequence[str], *, timeout: float = 20) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=timeout)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InjectionError(f"{' '.join(command)}: {error}") from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        raise InjectionError(f"{' '.join(command)}: exit code {done.returncode}: {said[-500:]}")
    return done.stdout
