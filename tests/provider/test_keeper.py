"""When a machine of this host leaves the processors to the others, and that it does not do so for ever."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from providers.local import cgroups, keeper
from providers.local.keeper import BOOT_YIELDS, Hooks, Keeper, yields


@pytest.mark.parametrize("age", [0.0, BOOT_YIELDS - 1, BOOT_YIELDS, 3600.0])
@pytest.mark.parametrize("ready", [False, True])
def test_a_machine_that_is_cut_off_leaves_the_processors_to_the_others(ready: bool, age: float) -> None:
    assert yields(cut_off=True, ready=ready, age=age)


@pytest.mark.parametrize("age", [0.0, BOOT_YIELDS - 1, BOOT_YIELDS, 3600.0])
def test_a_machine_leaves_the_processors_to_the_others_until_it_is_ready(age: float) -> None:
    assert yields(cut_off=False, ready=False, age=age) == (age < BOOT_YIELDS)
    assert not yields(cut_off=False, ready=True, age=age)


class Clock:
    """Time that goes by only while somebody waits."""

    now = 1000.0

    def time(self) -> float:
        return self.now

    monotonic = time


def test_a_machine_that_does_not_become_ready_gets_its_share_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, shares = Clock(), []
    monkeypatch.setattr(keeper, "time", clock)
    monkeypatch.setattr(
        cgroups, "yielding", lambda name, *, only_idle: shares.append((clock.now - Clock.now, only_idle))
    )

    def wait(seconds: float, wake: int) -> bool:
        clock.now += seconds
        return clock.now > Clock.now + BOOT_YIELDS + 1

    place = SimpleNamespace(label="m", disk=SimpleNamespace(limit_console=lambda: None))
    kept = Keeper(cast(Any, place), None, None, cast(Hooks, SimpleNamespace(cut_off=lambda: False)))
    kept.started = True
    machine = SimpleNamespace(container=SimpleNamespace(wait=wait), init=SimpleNamespace(pid=0), booted=clock.now)
    kept.incarnation = cast(Any, machine)
    kept._watch(cast(Any, machine))
    assert [(round(age), only_idle) for age, only_idle in shares] == [(BOOT_YIELDS, False)]
