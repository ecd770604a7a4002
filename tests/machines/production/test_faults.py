"""Any one machine may die and any one zone may be cut: the API goes on, and all of it comes back by itself."""

import socket
import time
from pathlib import Path

import pytest

from components.node import shutdown
from components.node.agent.cluster import answers
from components.node.etcd import metrics_url
from components.node.health import API_PORT, shutdown_delay_seconds
from drills.fault import Aim, Cut, Fault, Heal, Wait
from tests.machines.drilling import assert_goes_on, declared, drill
from tests.machines.stack import Stack

pytestmark = [pytest.mark.machines, pytest.mark.timeout(900)]

BUSY = 2
"""How much longer than it may take a leave may seem, looked at from a busy machine; 9.2 s were measured."""


@pytest.mark.parametrize("name", ["leader-kill", "master-kill", "balancer-kill"])
def test_a_killed_machine_is_hardly_felt_and_comes_back_as_itself(stack: Stack, tmp_path: Path, name: str) -> None:
    before = {machine: view.incarnation for machine, view in stack.machines().items()}
    run = drill(stack, declared(name), tmp_path)
    assert_goes_on(run)
    after = {machine: view.incarnation for machine, view in stack.machines().items()}
    assert after == {machine: count + (machine in run.targets) for machine, count in before.items()}


def test_a_master_that_is_shut_down_serves_on_while_unready_and_etcd_outlives_its_api_server(stack: Stack) -> None:
    name = stack.leader()
    address, begun = stack.machines()[name].address, time.monotonic()
    stack.injector.power_off(name)
    while listens(address, API_PORT):
        # Both may end between two looks; an etcd that has ended refuses at once.
        lives = answers(metrics_url(address, "/livez"), 5) or not listens(address, API_PORT)
        assert lives, "etcd ended under an API server that serves"
        time.sleep(0.1)
    assert shutdown_delay_seconds("local") <= time.monotonic() - begun < BUSY * shutdown.longest_seconds("local")


def listens(address: str, port: int) -> bool:
    """Whether a connection is accepted there."""
    try:
        socket.create_connection((address, port), timeout=5).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize("how", ["link", "silent"])
def test_a_cut_zone_with_the_balancer_and_the_leader_is_hardly_felt(stack: Stack, tmp_path: Path, how: str) -> None:
    lead_where_the_balancer_is(stack)
    steps = (
        Cut(do="cut", target=Aim.ZONE_OF_BALANCER, how=how),
        Wait(do="wait", seconds=20),
        Heal(do="heal"),
    )
    run = drill(stack, Fault(name=f"zone-{how}", title="A zone with all that matters is cut", steps=steps), tmp_path)
    assert_goes_on(run)


def lead_where_the_balancer_is(stack: Stack) -> None:
    """Give etcd's leadership to the member in the zone of the active balancer."""
    view = stack.view()
    assert view.active_balancer and view.leader
    zone = view.named(view.active_balancer).zone
    member = next(machine.name for machine in view.members if machine.zone == zone)
    if member != view.leader:
        stack.etcdctl(view.leader, "move-leader", stack.member_ids(view.leader)[member])
