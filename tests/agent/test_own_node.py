"""A master's Node: of this machine and no other, and whose concern it is when it is not Ready."""

from pathlib import Path
from typing import Any

import pytest

from components.node import kubelet
from components.node.agent.addons import Addons, unready
from components.node.agent.cloud import Instance
from components.node.agent.log import Log
from components.node.agent.nodes import of_another_machine
from components.node.agent.step import Context, Paths
from components.node.machine import Role
from tests.agent.conftest import document
from tests.agent.memory_cloud import MemoryCloud

MINE = "aws:///eu-west-1a/i-new"
BEFORE = "aws:///eu-west-1a/i-old"


class Recorded:
    """Services and kubectl that remember what they were asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []

    def __call__(self, *arguments: str) -> str:
        self.asked.append(arguments)
        return ""

    def restart(self, unit: str, *, wait: bool = True) -> None:
        self.asked.append(("restart", unit))


@pytest.fixture
def recorded() -> Recorded:
    return Recorded()


@pytest.fixture
def context(tmp_path: Path, recorded: Recorded) -> Context:
    services: Any = recorded
    instance = Instance("i-new", "masters", "master-1", "z", "127.0.0.1", "t", "t", MINE)
    machine = document("master-1", (), role=Role.MASTER).model_copy(update={"provider_id": MINE})
    return Context(
        machine=machine, cloud=MemoryCloud(instance, {}, {}), instance=instance,
        log=Log(console=None), services=services, paths=Paths(tmp_path),
    )  # fmt: skip


def node(provider_id: str, *, ready: bool = True) -> dict[str, Any]:
    condition = {"type": "Ready", "status": str(ready), "message": "cni plugin not initialized"}
    return {
        "metadata": {"name": "master-1", "labels": {}},
        "spec": {"providerID": provider_id},
        "status": {"conditions": [condition]},
    }


@pytest.mark.parametrize("told", [BEFORE, ""])
def test_a_node_of_the_machine_before_is_made_anew_since_the_cloud_would_judge_the_wrong_one(
    told: str, context: Context, recorded: Recorded
) -> None:
    kubectl: Any = recorded
    said = Addons()._look_after(context, kubectl, [node(told)])
    assert said is not None
    assert "the machine before" in said
    assert recorded.asked == [("delete", "node", "master-1", "--wait=false"), ("restart", kubelet.UNIT)]


def test_a_node_of_this_machine_stays_and_so_does_any_where_no_cloud_controller_asks(context: Context) -> None:
    assert not of_another_machine(node(MINE), context.machine.provider_id)
    assert not of_another_machine(node(BEFORE), "")


def test_without_a_pod_network_a_master_is_unwell_only_where_its_agent_makes_it(context: Context) -> None:
    assert unready(context, node(MINE, ready=False)) == "Node: cni plugin not initialized"
    own = context.machine.kubernetes.model_copy(update={"pod_network": False})
    context.machine = context.machine.model_copy(update={"kubernetes": own})
    assert unready(context, node(MINE, ready=False)) is None
    assert context.concerns == {"node": "Node: cni plugin not initialized"}
    assert unready(context, node(MINE)) is None
    assert context.concerns == {}
