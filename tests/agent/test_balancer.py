"""What a balancer's agent tells Keepalived."""

from pathlib import Path

import pytest

from components.node import keepalived
from components.node.agent import balancer
from components.node.agent.balancer import Balancer
from components.node.agent.cloud import Instance
from components.node.agent.log import Log
from components.node.agent.step import Context, Paths
from components.node.machine import Role
from tests.agent.memory_cloud import MemoryCloud
from tests.agent.processes import Processes
from tests.rendering.conftest import BALANCERS, document

ROW = "# pxname,svname,status,check_status\nmasters,master-1,{},{}\n"


@pytest.fixture
def context(tmp_path: Path) -> Context:
    instance = Instance("i-1", "balancers", "balancer-1", "zone-1", "10.0.0.11", "t", "t")
    return Context(
        machine=document(Role.BALANCER, BALANCERS[0]), cloud=MemoryCloud(instance, {}, {}), instance=instance,
        log=Log(console=None), services=Processes(tmp_path / "log"), paths=Paths(tmp_path),
    )  # fmt: skip


def test_a_balancer_says_whether_it_reaches_a_master_as_long_as_haproxy_answers(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = context.paths.root / keepalived.REACHES_NONE.lstrip("/")

    def tick(status: str, check: str) -> str:
        monkeypatch.setattr(balancer, "ask", lambda command: ROW.format(status, check))
        Balancer().tick(context)
        return said.read_text()

    assert tick("UP", "L7OK") == "0\n"
    assert tick("DOWN", "L4TOUT") == "1\n"
    assert tick("UP 1/3", "L7OK") == "0\n"
