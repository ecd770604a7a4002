"""What a balancer's agent tells Keepalived."""

import time
from pathlib import Path

import pytest

from components.node import keepalived
from components.node.agent import balancer
from components.node.agent.balancer import Balancer
from components.node.agent.cloud import Instance
from components.node.agent.log import Log
from components.node.agent.step import Context, Paths
from components.node.machine import Role
from drills.cluster import stands_by
from tests.agent.memory_cloud import MemoryCloud
from tests.agent.processes import Processes
from tests.rendering.conftest import BALANCERS, document

HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
SOCKET = "  55: 0C004D0A:{:04X} 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 {}\n"
VRRP = keepalived.PROTOCOL
ICMP = 1

ROW = "# pxname,svname,status,check_status\nmasters,master-1,{},{}\n"


@pytest.fixture
def context(tmp_path: Path) -> Context:
    sockets = tmp_path / keepalived.RAW_SOCKETS
    sockets.parent.mkdir(parents=True)
    sockets.write_text(HEADER + SOCKET.format(VRRP, 7))
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


def test_a_balancer_is_ready_once_keepalived_has_listened_for_as_long_as_a_takeover_takes(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, step = 0.0, Balancer()
    monkeypatch.setattr(balancer, "ask", lambda command: ROW.format("UP", "L7OK"))
    monkeypatch.setattr(time, "monotonic", lambda: now)

    def ready(at: float, *sockets: str) -> bool:
        nonlocal now
        now = at
        (context.paths.root / keepalived.RAW_SOCKETS).write_text("".join((HEADER, *sockets)))
        well = step.tick(context) is None
        assert stands_by(context.metrics.render()) is well
        return well

    ping, first, second = (SOCKET.format(*which) for which in ((ICMP, 5), (VRRP, 7), (VRRP, 8)))
    takes = keepalived.TAKEOVER_SECONDS
    assert not ready(100, ping)
    assert not ready(200, ping, first)
    assert not ready(200 + 0.9 * takes, ping, first)
    assert ready(200 + 1.1 * takes, ping, first)
    assert not ready(300, ping, second), "it was started anew"
    assert ready(300 + 1.1 * takes, second)
    assert not ready(400, ping), "it has ended"


def test_a_drill_hears_that_a_balancer_stands_by_whatever_its_haproxy_says(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One with the configuration of kubeadm's documents does not tell the agent how its servers are."""

    def silent(command: str) -> str:
        raise FileNotFoundError(command)

    step = Balancer()
    step.tick(context)
    monkeypatch.setattr(balancer, "ask", silent)
    after = time.monotonic() + keepalived.TAKEOVER_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: after)
    assert "does not answer" in str(step.tick(context))
    assert stands_by(context.metrics.render())
