"""How long a killed master is away: from its death until its successor says that it is ready."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import cycle, islice

from providers.local.faults import Faults
from providers.local.view import MachineView

POLL_SECONDS = 0.1
PATIENCE_SECONDS = 300.0


class NotReadyError(Exception):
    """The machines did not become ready in time; the message says what each said last."""


def measure(faults: Faults, runs: int) -> list[float]:
    """Kill the stack's masters in turn; seconds until each was replaced and ready.

    Raises:
        NotReadyError: the stack was not whole before, or not again in time.
    """
    views = wait(faults.machines, whole)
    masters = [view for view in views if view.role == "master"]
    seconds = []
    for master in islice(cycle(masters), runs):
        before = next(view for view in faults.machines() if view.machine == master.machine)
        started = time.monotonic()
        faults.kill(master.machine)
        wait(faults.machines, partial(replaced, old=before))
        seconds.append(time.monotonic() - started)
        wait(faults.machines, whole)
    return seconds


def whole(views: Sequence[MachineView]) -> bool:
    """Whether there are machines and all of them are ready."""
    return bool(views) and all(view.ready for view in views)


def replaced(views: Sequence[MachineView], old: MachineView) -> bool:
    """Whether a later incarnation of a machine is ready."""
    return any(view.machine == old.machine and view.incarnation > old.incarnation and view.ready for view in views)


def wait(look: Callable[[], list[MachineView]], done: Callable[[list[MachineView]], bool]) -> list[MachineView]:
    """Look until it is so; what was seen then."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not done(views := look()):
        if time.monotonic() > deadline:
            said = "; ".join(f"{view.machine}: {view.phase} {view.message}".strip() for view in views if not view.ready)
            raise NotReadyError(f"not ready after {PATIENCE_SECONDS:.0f} s: {said or 'no machines; run make up first'}")
        time.sleep(POLL_SECONDS)
    return views
