"""A cluster of three masters is restored with one command: what came after the snapshot is gone, all else is there."""

import re

import pytest

from tests.machines.stack import Stack

pytestmark = [pytest.mark.machines, pytest.mark.campaign, pytest.mark.timeout(420)]


def test_a_restore_brings_all_masters_back_to_the_snapshot(stack: Stack) -> None:
    stack.kubectl("create", "configmap", "before")
    name = stack.make("snapshot").output.split()[-1]
    stack.kubectl("create", "configmap", "after")
    foretold = stack.make("restore", f"SNAPSHOT={name}", "DRY_RUN=1").output
    assert "dry run: nothing was changed" in foretold
    assert re.search(r"lost +\d+ revisions", foretold), foretold
    said = stack.make("restore", f"SNAPSHOT={name}", "YES=1")
    print(said.output)
    for member in stack.cluster.view().members:
        assert f"{member.name}: control plane stopped" in said.output, "each master carries a member"
    assert "configmap/before" in stack.kubectl("get", "configmaps", "--output=name")
    assert "configmap/after" not in stack.kubectl("get", "configmaps", "--output=name")
    stack.wait_whole()
    listed = {member.name: stack.member_ids(member.name) for member in stack.cluster.view().members}
    assert len({frozenset(found.items()) for found in listed.values()}) == 1, listed
    stack.kubectl("delete", "configmap", "before")
