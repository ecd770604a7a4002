"""Rows 3, 4 and 7 to 9 of the membership table on real machines, by the agent's own word and by what etcd then says."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

import pytest

from components.node.agent.step import Paths
from drills.injector import InjectionError
from tests.machines.agent_log import await_row, chosen
from tests.machines.stack import Stack, eventually

pytestmark = [pytest.mark.machines, pytest.mark.timeout(900)]

KEY = "/registry/configmaps/default/kept"

SERVING_SECONDS = 60
"""A member that has just joined votes, and says so, before clients reach it: etcd opens their port once the cluster has
heard its name, which is tried again after 6 s where the first time is lost (5.4 s seen)."""
BOOT_SECONDS = 60


def followers(stack: Stack) -> list[str]:
    """Machines of the members that do not lead."""
    view = stack.view()
    return [machine.name for machine in view.members if machine.name != view.leader]


@contextmanager
def kept(stack: Stack) -> Iterator[None]:
    """Something acknowledged before, which every member must have afterwards."""
    stack.kubectl("create", "configmap", "kept")
    try:
        yield
        stack.wait_whole()
        for machine in (found.name for found in stack.cluster.view().members):
            eventually(partial(holds, stack, machine), partial("{} does not have it".format, machine), SERVING_SECONDS)
    finally:
        stack.kubectl("delete", "configmap", "kept")


def holds(stack: Stack, machine: str) -> bool:
    """Whether a member has it itself."""
    try:
        return KEY in stack.etcdctl(machine, "get", KEY, "--keys-only", "--consistency=s")
    except InjectionError:
        return False


def test_row_4_a_machine_with_its_data_is_the_member_that_it_was(stack: Stack) -> None:
    machine = followers(stack)[0]
    before = stack.member_ids(machine)
    with kept(stack):
        replaced(stack, machine, stack.injector.kill)
        await_row(stack, machine, 4)
    assert chosen(stack, machine) == [4]
    assert stack.member_ids(machine) == before


@pytest.mark.parametrize("partitioned", [False, True])
def test_row_7_a_wiped_disk_comes_in_as_a_learner_under_a_new_id(stack: Stack, partitioned: bool) -> None:
    machine, other = followers(stack)
    before = stack.member_ids(other)
    with kept(stack):
        if partitioned:
            stack.injector.cut(machine, "silent")
        replaced(stack, machine, stack.injector.wipe)
        if partitioned:
            assert not chosen(stack, machine)
            stack.injector.heal()
        await_row(stack, machine, 7)
    after = stack.member_ids(other)
    assert after[machine] != before[machine]
    assert {name: found for name, found in after.items() if name != machine} == {
        name: found for name, found in before.items() if name != machine
    }


def test_rows_3_and_8_a_removed_member_sets_its_data_aside_and_joins_anew(stack: Stack) -> None:
    machine, other = followers(stack)
    before = stack.member_ids(other)
    with kept(stack):
        stack.injector.cut(machine, "link")
        eventually(partial(removed, stack, other, before[machine]), partial(stack.member_ids, other), SERVING_SECONDS)
        stack.injector.heal()
        await_row(stack, machine, 8)
    # Between them it may have asked a quorum in vain: the link had only just come back.
    assert [row for row in chosen(stack, machine) if row in {3, 8}][-2:] == [3, 8]
    aside = stack.injector.run(machine, "ls", str(Paths().etcd_volume / "set-aside"))
    assert before[machine] in aside
    assert stack.member_ids(other)[machine] != before[machine]


def test_row_9_an_empty_disk_without_a_quorum_never_forms_a_second_cluster(stack: Stack) -> None:
    machine = followers(stack)[0]
    view = stack.cluster.view()
    with kept(stack):
        for zone in {found.zone for found in view.members} - {view.named(machine).zone}:
            stack.injector.cut(zone, "link")
        replaced(stack, machine, stack.injector.wipe)
        await_row(stack, machine, 9)
        assert set(chosen(stack, machine)) == {9}
        assert "member" not in stack.injector.run(machine, "find", str(Paths().etcd_volume))
        stack.injector.heal()
        await_row(stack, machine, 7)


def removed(stack: Stack, asked: str, identity: str) -> bool:
    """Remove a member; etcd refuses while the others have known each other for less than 5 s."""
    with suppress(InjectionError):
        stack.etcdctl(asked, "member", "remove", identity)
    return identity not in stack.member_ids(asked).values()


def replaced(stack: Stack, machine: str, end: Callable[[str], None]) -> None:
    """End a machine, and wait until its next incarnation boots."""
    before = stack.machines()[machine].incarnation
    end(machine)
    eventually(lambda: stack.machines()[machine].incarnation > before, lambda: stack.machines()[machine], BOOT_SECONDS)
