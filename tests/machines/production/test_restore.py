"""A cluster of three masters is restored with one command: what came after the snapshot is gone, all else is there."""

import re

import pytest

from components.node.agent.step import Paths
from tests.machines.stack import Stack

pytestmark = [pytest.mark.machines, pytest.mark.timeout(900)]

ASIDE = str(Paths().etcd_volume / "set-aside")


def lost(said: str) -> int:
    """How many revisions `make restore` says are lost, or would be."""
    found = re.search(r"lost +(\d+) revisions", said)
    assert found, said
    return int(found[1])


def members(stack: Stack) -> list[str]:
    """Machines that carry one; each is a master here."""
    return [machine.name for machine in stack.cluster.view().members]


def test_a_restore_brings_all_masters_back_to_the_snapshot(stack: Stack) -> None:
    stack.kubectl("create", "configmap", "before")
    name = stack.make("snapshot").output.split()[-1]
    stack.kubectl("create", "configmap", "after")
    foretold = stack.make("restore", f"SNAPSHOT={name}", "DRY_RUN=1").output
    assert "dry run: nothing was changed" in foretold
    said = stack.make("restore", f"SNAPSHOT={name}", "YES=1").output
    print(said)
    # Leases are renewed until the last moment.
    assert 0 < lost(foretold) <= lost(said.partition("serves")[2])
    for machine in members(stack):
        assert f"{machine}: control plane stopped" in said
    assert "configmap/before" in stack.kubectl("get", "configmaps", "--output=name")
    assert "configmap/after" not in stack.kubectl("get", "configmaps", "--output=name")
    # It serves as soon as two of three do.
    stack.wait_whole()
    for machine in members(stack):
        assert "-1-" in stack.injector.run(machine, "ls", ASIDE), "the data of before is kept"
    listed = {machine: stack.member_ids(machine) for machine in members(stack)}
    assert len({frozenset(found.items()) for found in listed.values()}) == 1, listed
    stack.kubectl("delete", "configmap", "before")


@pytest.mark.campaign
def test_a_machine_that_was_cut_off_comes_late_and_rewinds_nothing(stack: Stack) -> None:
    stack.make("snapshot")
    late = next(machine for machine in members(stack) if machine != stack.cluster.leader())
    stack.injector.cut(late, "silent")
    said = stack.make("restore", "YES=1").output
    print(said)
    assert f"{late}: " not in said
    stack.kubectl("create", "configmap", "since")
    stack.injector.heal()
    stack.wait_whole()
    key = "/registry/configmaps/default/since"
    assert key in stack.etcdctl(late, "get", key, "--keys-only", "--consistency=s")
    stack.kubectl("delete", "configmap", "since")
