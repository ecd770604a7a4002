"""Keeping one machine in each slot: boot it, watch it, and when it dies for whatever cause boot a new one."""

import contextlib
import os
import select
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from providers.local import cgroups, machines, netns, network, roots, volumes
from providers.local.commands import CommandError
from providers.local.machines import BootError, Incarnation, Place
from providers.local.processes import POWER_OFF_SIGNAL
from providers.local.specs import MachineGroup

POWER_OFF_TIMEOUT = 120.0
"""Seconds that a machine may take to power off in order: a master's drain hook has a budget of about 70."""
QUICK_DEATH = 10.0
"""A machine that lived shorter than this many seconds counts as one that does not boot."""
MAX_BACK_OFF = 30.0
"""Seconds between two attempts at most."""
BOOT_YIELDS = 60.0
"""Seconds after its start for which a machine that is not ready yet leaves the processors to the others: where all are
taken it would never be. A master takes 10 to 30. With 15 the one that took longer got its share just when its API
server started, and clients felt that 15 to 25 s after a fault (docs/measurements.md)."""
WATCH_STARTED = 0.1
"""Seconds between two looks whether cloud-init has started; afterwards only events count."""
WATCH_CONSOLE = 300.0
"""Seconds between two looks whether the console has grown too large."""


class Status(BaseModel):
    """What a machine said of itself last."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ready: bool
    phase: str
    message: str = ""


class Order(Enum):
    """What the supervisor wants of a machine that runs."""

    NONE = auto()
    KILL = auto()
    WIPE = auto()
    """As KILL, and the volume is empty for the next one."""
    REPLACE = auto()


@dataclass(frozen=True)
class Hooks:
    """What a keeper asks of the cloud around it."""

    group: Callable[[], MachineGroup]
    """The group as it is now."""
    booted: Callable[[Incarnation], None]
    """Called with each new machine."""
    reported: Callable[[Incarnation, Status], None]
    """Called when a machine says something new of itself."""
    plugged: Callable[[], None]
    """Called when the machine's cable is new, so that cuts outlive machines."""
    cut_off: Callable[[], bool]
    """Whether a cut holds for the machine."""


def back_off(quick_deaths: int) -> float:
    """Seconds to wait after so many quick deaths in a row: none after the first, then 1 doubling to 30."""
    return 0.0 if quick_deaths <= 1 else min(MAX_BACK_OFF, 2.0 ** (quick_deaths - 2))


def yields(*, cut_off: bool, ready: bool, age: float) -> bool:
    """Whether a machine, ready or not and of that age in seconds, leaves the processors to the others.

    In a region it has processors of its own: here a machine that boots must not take them from those that serve, nor
    one that is cut off, whose API server opens its watches again without a pause while its etcd has no leader.
    """
    return cut_off or (not ready and age < BOOT_YIELDS)


class Keeper(threading.Thread):
    """Keeps the machine of one slot."""

    def __init__(self, place: Place, volume: Path | None, last: Incarnation | None, hooks: Hooks) -> None:
        super().__init__(name=f"keeper {place.label}", daemon=True)
        self.place = place
        self.volume = volume
        self.incarnation = last
        self.status: Status | None = None
        self.phase, self.message = "waiting", ""
        self.started = False
        """Whether the machine that runs now has come to cloud-init."""
        self._weighing = threading.Lock()
        self._hooks = hooks
        self._order = Order.NONE
        self._ending = False
        self.quick_deaths = 0
        """How often in a row the machine died, or did not boot, within `QUICK_DEATH`."""
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    @property
    def running(self) -> Incarnation | None:
        """The machine, if it runs."""
        incarnation = self.incarnation
        return incarnation if incarnation and incarnation.init.alive() else None

    def order(self, order: Order) -> None:
        """Want something of the machine that runs now."""
        self._order = order
        os.eventfd_write(self._wake, 1)

    def report(self, status: Status) -> None:
        """Take what the machine says of itself."""
        if status != self.status and self.incarnation:
            self.status = status
            if status.ready:
                self.weigh()
            self._hooks.reported(self.incarnation, status)

    def weigh(self) -> None:
        """Give the machine the share of the processors that is due to it now."""
        # One at a time: a share that was due a moment ago must not be given last.
        with self._weighing:
            age = time.time() - self.incarnation.booted if self.incarnation else 0.0
            ready = self.status is not None and self.status.ready
            only_idle = yields(cut_off=self._hooks.cut_off(), ready=ready, age=age)
            cgroups.yielding(self.place.label, only_idle=only_idle)

    def end(self) -> None:
        """End the machine for good and remove what it had, except its volume."""
        self._ending = True
        os.eventfd_write(self._wake, 1)
        self.join()
        self.place.disk.remove()

    def run(self) -> None:
        """Until ended: adopt or boot, watch, clear."""
        while not self._ending:
            try:
                incarnation = self._adopt() or self._boot()
                self._watch(incarnation)
                self._clear(incarnation)
                if self._order is Order.WIPE and self.volume:
                    volumes.wipe(self.volume)
                self._count_death(incarnation)
            except (BootError, CommandError, volumes.VolumeBusyError, OSError) as error:
                self.quick_deaths += 1
                self.message = str(error)
                self._log(f"does not boot: {error}")
            self._rest()
        with contextlib.suppress(CommandError, volumes.VolumeBusyError):
            self._clear(self.incarnation)

    def _adopt(self) -> Incarnation | None:
        incarnation = self.running
        if incarnation and netns.path(self.place.addresses.machine_namespace(self.place.slot.machine)).exists():
            self.phase = "running"
            return incarnation
        self._clear(self.incarnation)
        return None

    def _boot(self) -> Incarnation:
        self.status, self.started = None, False
        self.phase, self.message = "booting", ""
        self._order = Order.NONE
        network.plug(self.place.addresses, self.place.slot)
        self._hooks.plugged()
        number = self.incarnation.number + 1 if self.incarnation else 1
        self.incarnation = machines.boot(self.place, self._hooks.group(), number)
        self._hooks.booted(self.incarnation)
        self._log(f"incarnation {number}, {self.incarnation.id}, is up")
        self.phase = "running"
        return self.incarnation

    def _watch(self, incarnation: Incarnation) -> None:
        power_off_by: float | None = None
        while not incarnation.container.wait(self._patience(incarnation, power_off_by), self._wake):
            with contextlib.suppress(BlockingIOError):
                os.eventfd_read(self._wake)
            self.place.disk.limit_console()
            self.weigh()
            overdue = power_off_by is not None and time.monotonic() > power_off_by
            if overdue or self._ending or self._order in (Order.KILL, Order.WIPE):
                machines.kill(incarnation)
                return
            if self._order is Order.REPLACE and power_off_by is None:
                self.phase = "powering off"
                power_off_by = time.monotonic() + POWER_OFF_TIMEOUT
                incarnation.init.send(POWER_OFF_SIGNAL)
            self.started = self.started or self._cloud_init_started(incarnation)

    def _patience(self, incarnation: Incarnation, power_off_by: float | None) -> float:
        if power_off_by is not None:
            return max(0.0, power_off_by - time.monotonic()) + 0.01
        if not self.started:
            return WATCH_STARTED
        still_yields = incarnation.booted + BOOT_YIELDS - time.time()
        return still_yields + 0.01 if still_yields > 0 else WATCH_CONSOLE

    def _cloud_init_started(self, incarnation: Incarnation) -> bool:
        # /run is a file system of the machine's own: it is seen only through one of the machine's processes.
        return Path(f"/proc/{incarnation.init.pid}/root/run/cloud-init").exists()

    def _clear(self, incarnation: Incarnation | None) -> None:
        if incarnation and (incarnation.container.alive() or incarnation.init.alive()):
            incarnation.container.send(signal.SIGKILL)
            machines.kill(incarnation)
        network.unplug(self.place.addresses, self.place.slot.machine)
        machines.forget(self.place)
        self.place.disk.discard()
        if self.volume:
            volumes.detach(self.volume)
        cgroups.remove(self.place.label)

    def _count_death(self, incarnation: Incarnation) -> None:
        wanted = self._ending or self._order is not Order.NONE
        self._log(f"incarnation {incarnation.number} is gone: {'on order' if wanted else 'it died by itself'}")
        quick = time.time() - incarnation.booted < QUICK_DEATH
        self.quick_deaths = self.quick_deaths + 1 if quick and not wanted else 0
        self.message = "" if wanted else f"died by itself after {time.time() - incarnation.booted:.0f} s"

    def _log(self, event: str) -> None:
        print(f"{time.strftime('%F %T')} {self.place.label}: {event}", flush=True)

    def _rest(self) -> None:
        seconds = back_off(self.quick_deaths)
        if seconds and not self._ending:
            self.phase = "waiting"
            self.message += f"; {self.quick_deaths} quick deaths in a row, next attempt in {seconds:.0f} s"
            select.select([self._wake], [], [], seconds)


def sweep(network_name: str, folder: Path) -> None:
    """Remove every trace of a network's machines and volumes, whatever any record says."""
    label = f"kha-{network_name}."
    machines.sweep(label)
    deadline = time.monotonic() + 10
    while (left := cgroups.names(label)) and time.monotonic() < deadline:
        for name in left:
            cgroups.remove(name)
    network.sweep(network_name)
    roots.sweep(folder / "machines")
    volumes.sweep(folder)
    roots.sweep(folder)
