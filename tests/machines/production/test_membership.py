"""Rows 3 to 9 of the membership table on real machines, by the agent's own word and by what etcd then says."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby

import pytest

from components.node.agent.step import Paths
from tests.machines.stack import Stack, eventually

pytestmark = [pytest.mark.machines, pytest.mark.timeout(420)]

ROW = re.compile(r"kube-ha etcd: membership row (\d)")
DECISION_SECONDS = 120.0
KEY = "/registry/configmaps/default/kept"


def incarnations(stack: Stack, machine: str) -> list[str]:
    """What each incarnation of a machine printed, the last one last."""
    return stack.console(machine).split(f"--- {machine}, incarnation ")[1:]


def rows(printed: str) -> list[int]:
    """The rows that the agent chose; each line comes from the agent and from the journal."""
    return [int(row) for row, _ in groupby(ROW.findall(printed))]


def chosen(stack: Stack, machine: str) -> list[int]:
    """The rows of the machine that runs now."""
    return rows(incarnations(stack, machine)[-1])


def await_row(stack: Stack, machine: str, row: int) -> None:
    """Wait until the machine that runs now has chosen a row."""
    eventually(lambda: row in chosen(stack, machine), lambda: stack.console(machine)[-3000:], DECISION_SECONDS)


def followers(stack: Stack) -> list[str]:
    """Machines of the members that do not lead."""
    view = stack.cluster.view()
    return [machine.name for machine in view.members if machine.name != view.leader]


@contextmanager
def kept(stack: Stack) -> Iterator[None]:
    """Something acknowledged before, which every member must have afterwards."""
    stack.kubectl("create", "configmap", "kept")
    try:
        yield
        stack.wait_whole()
        for machine in (found.name for found in stack.cluster.view().members):
            assert KEY in stack.etcdctl(machine, "get", KEY, "--keys-only", "--consistency=s"), machine
    finally:
        stack.kubectl("delete", "configmap", "kept")


def test_a_new_cluster_is_recorded_by_one_and_formed_once_by_all(stack: Stack) -> None:
    first = {machine.name: rows(incarnations(stack, machine.name)[0]) for machine in stack.cluster.view().members}
    assert all(found[-1] == 6 for found in first.values()), first
    assert any(found[0] == 5 for found in first.values()), first
    assert {row for found in first.values() for row in found} == {5, 6}


def test_row_4_a_machine_with_its_data_is_the_member_that_it_was(stack: Stack) -> None:
    machine = followers(stack)[0]
    before, incarnation = stack.member_ids(machine), len(incarnations(stack, machine))
    with kept(stack):
        stack.injector.kill(machine)
        eventually(lambda: len(incarnations(stack, machine)) > incarnation, lambda: stack.machines()[machine], 60)
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
        wiped(stack, machine)
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
        stack.etcdctl(other, "member", "remove", before[machine])
        stack.injector.heal()
        await_row(stack, machine, 8)
    assert chosen(stack, machine)[-2:] == [3, 8]
    aside = stack.injector.run(machine, "ls", str(Paths().etcd_volume / "set-aside"))
    assert before[machine] in aside
    assert stack.member_ids(other)[machine] != before[machine]


def test_row_9_an_empty_disk_without_a_quorum_never_forms_a_second_cluster(stack: Stack) -> None:
    machine = followers(stack)[0]
    view = stack.cluster.view()
    with kept(stack):
        for zone in {found.zone for found in view.members} - {view.named(machine).zone}:
            stack.injector.cut(zone, "link")
        wiped(stack, machine)
        await_row(stack, machine, 9)
        assert set(chosen(stack, machine)) == {9}
        assert "member" not in stack.injector.run(machine, "find", str(Paths().etcd_volume))
        stack.injector.heal()
        await_row(stack, machine, 7)


def wiped(stack: Stack, machine: str) -> None:
    """Exchange a machine's disk for an empty one; its next incarnation is booting."""
    before = len(incarnations(stack, machine))
    stack.injector.wipe(machine)
    eventually(lambda: len(incarnations(stack, machine)) > before, lambda: stack.machines()[machine], 60)
