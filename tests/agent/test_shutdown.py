"""A master whose system goes down: what ends, in which order, and how long it is waited for."""

import time
from collections.abc import Callable

import pytest

from components.node.agent import shutdown, standalone, static_pods

MASTER = ("kubelet", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd", "haproxy")


class Programs:
    """What runs on a machine; a program ends when it is told to, unless it hangs."""

    def __init__(self) -> None:
        self.running = dict(enumerate(MASTER, start=1))
        self.hanging: set[str] = set()
        self.events: list[str] = []
        self.asked: Callable[[str], None] = lambda component: None

    def processes(self, component: str) -> list[int]:
        self.asked(component)
        return [process for process, name in self.running.items() if name == component]

    def kill(self, process: int, number: int) -> None:
        self.events.append(self.running[process])
        if self.running[process] not in self.hanging:
            del self.running[process]


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> Programs:
    programs = Programs()
    monkeypatch.setattr(static_pods, "processes", programs.processes)
    monkeypatch.setattr("os.kill", programs.kill)
    return programs


def test_a_unit_that_is_stopped_while_the_system_stays_ends_nothing(
    programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutdown, "going_down", lambda: False)
    shutdown.main("5")
    assert programs.events == []


def test_this_system_is_not_going_down() -> None:
    assert not shutdown.going_down()


def test_the_control_plane_ends_and_what_it_needs_stays(programs: Programs) -> None:
    programs.running = {process: name for process, name in programs.running.items() if name != "kubelet"}
    assert "ended" in shutdown.leave(5)
    assert set(programs.running.values()) == {"etcd", "haproxy"}


def test_nothing_is_ended_before_the_kubelet_that_would_start_it_again(programs: Programs) -> None:
    looks = []

    def asked(component: str) -> None:
        looks.append(component)
        if len(looks) == 3:
            assert programs.events == []
            programs.running = {process: name for process, name in programs.running.items() if name != "kubelet"}

    programs.asked = asked
    shutdown.leave(5)
    assert looks[:3] == ["kubelet"] * 3
    assert "kube-apiserver" in programs.events


def test_an_api_server_that_hangs_does_not_keep_a_machine_up(programs: Programs) -> None:
    programs.hanging = {"kube-apiserver"}
    programs.running = {process: name for process, name in programs.running.items() if name != "kubelet"}
    begun = time.monotonic()
    assert shutdown.leave(0.1) == "kube-apiserver did not end within 0 s"
    assert time.monotonic() - begun < 10


def test_a_kubelet_that_hangs_keeps_the_api_server_no_longer(
    programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutdown, "KUBELET_SECONDS", 0.1)
    assert "ended" in shutdown.leave(5)


def test_a_unit_runs_a_module_without_the_agents_libraries() -> None:
    line = standalone.command("shutdown", 17)
    assert line.endswith("-m components.node.agent.shutdown 17")
    assert "PYTHONPATH=" in line
