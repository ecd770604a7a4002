"""The unit by which a master leaves when its system goes down: what outlives it, how long it may take."""

import pytest

from components.node import containerd, etcd, kubelet, passthrough, shutdown
from components.node.health import LOAD_BALANCER, shutdown_delay_seconds
from components.node.machine import Role
from tests.rendering.conftest import BALANCERS, STACKS, document


def directive(unit: str, name: str) -> list[str]:
    """The words of a directive of which there is one."""
    (value,) = (line.partition("=")[2] for line in unit.splitlines() if line.startswith(f"{name}="))
    return value.split()


@pytest.fixture
def unit() -> str:
    return shutdown.service(STACKS["production"], "/bin/leave")


def test_what_an_api_server_needs_is_stopped_after_it_has_ended(unit: str) -> None:
    """systemd stops units in the reverse order of their start."""
    assert {etcd.UNIT, passthrough.UNIT, containerd.UNIT, "network-online.target"} <= set(directive(unit, "After"))


def test_the_kubelet_that_would_start_it_again_does_not_wait_for_its_end(unit: str) -> None:
    assert kubelet.UNIT not in unit
    assert "Before=" not in unit


@pytest.mark.parametrize("cloud", LOAD_BALANCER)
def test_the_api_server_has_its_delay_and_systemd_waits_for_as_long_and_no_longer_than_half_a_minute(
    cloud: str,
) -> None:
    unit = shutdown.service(STACKS["production"].model_copy(update={"cloud": cloud}), "/bin/leave")
    (timeout,) = directive(unit, "TimeoutStopSec")
    assert shutdown_delay_seconds(cloud) < shutdown.longest_seconds(cloud) < int(timeout) <= 30


def test_only_a_master_that_another_takes_over_from_takes_the_time() -> None:
    machine = STACKS["production"]
    alone = machine.model_copy(update={"kubernetes": machine.kubernetes.model_copy(update={"masters": 1})})
    assert shutdown.applies(machine)
    assert shutdown.applies(STACKS["critical"])
    assert not shutdown.applies(alone)
    assert not shutdown.applies(document(Role.BALANCER, BALANCERS[0]))
