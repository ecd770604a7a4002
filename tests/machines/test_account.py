"""What a failed test says of its machines; without machines."""

from pathlib import Path
from typing import Any

import pytest

from tests.machines import account

PRINTED = """\
--- master-1, incarnation 1, i-0 ---
kube-ha status: not ready, etcd: in progress
[   12.000001] python3[80]: kube-ha status: not ready, etcd: in progress
[   12.100000] kubelet[90]: a line of somebody else
kube-ha etcd: membership row 4: start with the data (there is data of 1)
[   12.200001] python3[80]: kube-ha etcd: membership row 4: start with the data (there is data of 1)
[   13.000000] python3[80]: kube-ha status: ready, ready: all is well
kube-ha status: not ready, etcd: in progress
"""


def thing(kind: str, name: str, *conditions: dict[str, str]) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": name}, "status": {"conditions": conditions}}


def test_each_event_of_an_agent_is_told_once_where_it_was_last() -> None:
    assert account.events(PRINTED) == [
        "[   12.200001] python3[80]: kube-ha etcd: membership row 4: start with the data (there is data of 1)",
        "[   13.000000] python3[80]: kube-ha status: ready, ready: all is well",
        "kube-ha status: not ready, etcd: in progress",
    ]


def test_a_node_is_told_with_what_is_not_as_it_should_be_and_a_pod_that_is_not_ready() -> None:
    well = thing("Node", "well", {"type": "Ready", "status": "True"}, {"type": "DiskProblem", "status": "False"})
    lost = thing("Node", "lost", {"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown"})
    ill = thing("Node", "ill", {"type": "ControlPlaneProblem", "status": "True", "message": "kubelet: it hangs"})
    pods = [thing("Pod", f"ready-{ready}", {"type": "Ready", "status": ready}) for ready in ("True", "False")]
    assert list(account.unwell([well, lost, ill, *pods])) == [
        "Node lost: Ready is Unknown: NodeStatusUnknown",
        "Node ill: ControlPlaneProblem is True: kubelet: it hangs",
        "Pod ready-False: Ready is False",
    ]


def test_a_cloud_without_machines_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KUBE_HA_LOCAL_ROOT", str(tmp_path / "none"))
    assert account.collected(tmp_path) == "there are no machines\n"


def test_what_hangs_is_ended_and_what_it_had_said_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KUBE_HA_LOCAL_ROOT", str(tmp_path / "none"))
    monkeypatch.setattr(account, "SECONDS", 0.01)
    assert account.collected(tmp_path) == "not more within 0.01 s"
