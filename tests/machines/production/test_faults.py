"""Any one machine may die and any one zone may be cut: the API goes on, and all of it comes back by itself."""

from pathlib import Path

import pytest

from drills.fault import Aim, Cut, Fault, Heal, Wait
from tests.machines.drilling import assert_goes_on, declared, drill
from tests.machines.stack import Stack

pytestmark = [pytest.mark.machines, pytest.mark.timeout(420)]


@pytest.mark.parametrize("name", ["leader-kill", "master-kill", "balancer-kill"])
def test_a_killed_machine_is_hardly_felt_and_comes_back_as_itself(stack: Stack, tmp_path: Path, name: str) -> None:
    before = {machine: view.incarnation for machine, view in stack.machines().items()}
    run = drill(stack, declared(name), tmp_path)
    assert_goes_on(run)
    after = {machine: view.incarnation for machine, view in stack.machines().items()}
    assert after == {machine: count + (machine in run.targets) for machine, count in before.items()}


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
    view = stack.cluster.view()
    assert view.active_balancer and view.leader
    zone = view.named(view.active_balancer).zone
    member = next(machine.name for machine in view.members if machine.zone == zone)
    if member != view.leader:
        stack.etcdctl(view.leader, "move-leader", stack.member_ids(view.leader)[member])
