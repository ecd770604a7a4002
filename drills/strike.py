"""Carrying out a step that does harm."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from drills.api import Api
from drills.drain import drain
from drills.fault import Cut, Drain, Fill, Inject, Isolate, Kill, PowerOff, Signal, Slow, Wipe
from drills.injector import Injector


def words(step: Inject, targets: Sequence[str]) -> str:
    """The step as people say it."""
    match step:
        case Cut(how=how):
            what = f"cut ({how})"
        case Signal(program=program, signal=signal):
            what = f"SIG{signal} to {program} on"
        case Isolate():
            what = "isolate from its peers"
        case Slow(what=what_slows):
            what = f"slow {what_slows} of"
        case Fill():
            what = "fill the disk of"
        case _:
            what = type(step).__name__.lower().replace("poweroff", "power off")
    return f"{what} {' and '.join(targets)}"


def strike(step: Inject, targets: Sequence[str], injector: Injector, api: Api) -> None:
    """Do the step's harm to all its targets at once.

    Raises:
        InjectionError, DrainError, ApiError: it could not be done to one of them.
    """
    act = _act(step, injector, api)
    with ThreadPoolExecutor(max_workers=len(targets)) as pool:
        list(pool.map(act, targets))


def _act(step: Inject, injector: Injector, api: Api) -> Callable[[str], None]:
    if isinstance(step, Cut):
        return lambda name: injector.cut(name, step.how)
    if isinstance(step, Isolate):
        return lambda name: injector.cut(name, "peers")
    if isinstance(step, Drain):
        return lambda name: drain(api, name)
    if isinstance(step, Signal):
        return lambda name: injector.signal(name, step.program, step.signal)
    if isinstance(step, Slow):
        return lambda name: injector.slow(name, step.what)
    simple = {Kill: injector.kill, PowerOff: injector.power_off, Wipe: injector.wipe, Fill: injector.fill}
    return simple[type(step)]
