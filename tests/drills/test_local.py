"""What undoes faults of the local cloud, and where."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from drills import disk, local
from drills.injector import InjectionError
from drills.local import LocalInjector

MACHINES = ("master-1", "master-2", "balancer-1")


class Cloud:
    """A local cloud on which every command is only remembered."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.entered: list[str] = []
        self.deaf: set[str] = set()
        self.injector = LocalInjector("local")
        views = [SimpleNamespace(machine=name, init_pid=number) for number, name in enumerate(MACHINES, start=100)]
        monkeypatch.setattr(self.injector, "_views", lambda: views)
        monkeypatch.setattr(self.injector, "run", self.run)
        monkeypatch.setattr(self.injector, "_faults", SimpleNamespace(heal=lambda: [], cut=lambda target, how: None))
        monkeypatch.setattr(local, "_run", lambda command, **_: "")
        monkeypatch.setattr(disk, "unthrottle", lambda: None)
        monkeypatch.setattr(disk, "throttle", lambda *_: None)

    def run(self, machine: str, *command: str, timeout: float = 20) -> str:
        self.entered.append(machine)
        if machine in self.deaf:
            raise InjectionError(f"{machine}: no answer")
        return ""

    def heal(self) -> Sequence[str]:
        """The machines that a heal enters."""
        self.entered.clear()
        self.injector.heal()
        return sorted(self.entered)


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Cloud:
    return Cloud(monkeypatch)


HARMS: dict[str, Any] = {
    "signal": lambda injector: injector.signal("master-2", "etcd", "STOP"),
    "fill": lambda injector: injector.fill("master-2"),
    "slow link": lambda injector: injector.slow("master-2", "link"),
    "slow disk": lambda injector: injector.slow("master-2", "disk"),
}


@pytest.mark.parametrize("harm", HARMS)
def test_the_first_heal_enters_every_machine_and_the_next_those_that_were_harmed_inside(
    harm: str, cloud: Cloud
) -> None:
    HARMS[harm](cloud.injector)
    assert cloud.heal() == sorted(MACHINES)
    HARMS[harm](cloud.injector)
    assert cloud.heal() == ["master-2"]


def test_a_cut_is_healed_without_entering_any_machine(cloud: Cloud) -> None:
    cloud.heal()
    cloud.injector.cut("zone-a", "link")
    assert cloud.heal() == []


def test_a_machine_that_could_not_be_entered_is_entered_by_the_next_heal(cloud: Cloud) -> None:
    cloud.heal()
    cloud.injector.signal("master-2", "etcd", "STOP")
    cloud.deaf = {"master-2"}
    with pytest.raises(InjectionError):
        cloud.injector.signal("master-2", "etcd", "STOP")
    assert cloud.heal() == ["master-2"]
    cloud.deaf = set()
    assert cloud.heal() == ["master-2"]
    assert cloud.heal() == []
