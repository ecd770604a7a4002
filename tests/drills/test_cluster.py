"""A cluster is whole only when nothing that it should have is missing."""

import gzip
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from drills import cluster
from drills.cluster import WORN_RESTARTS, Member, member, missing, scenario, worn
from drills.fault import Machine

WHOLE = {"master-1": Member(leads=True, knows_leader=True, votes=True)}
READY = {"conditions": [{"type": "Ready", "status": "True"}]}
NODE = {"metadata": {"name": "master-1"}, "status": READY}
POD = {"metadata": {"name": "kube-apiserver-master-1"}, "status": READY | {"phase": "Running"}}


def test_nothing_is_missing_in_a_whole_cluster() -> None:
    assert missing(WHOLE, {"master-1": None}, [NODE], [POD], {"balancer-1": True}) == []


def unready(thing: dict[str, Any], **status: object) -> dict[str, Any]:
    return thing | {"status": {"conditions": [{"type": "Ready", "status": "False"}]} | status}


WAITING = {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "restartCount": 7}


@pytest.mark.parametrize(
    ("said", "members", "masters", "nodes", "pods"),
    [
        ("does not answer", {"master-1": None}, {"master-1": None}, [NODE], [POD]),
        ("no leader", {"m": Member(leads=False, knows_leader=False, votes=True)}, {"master-1": None}, [NODE], [POD]),
        ("learner", {"m": Member(leads=False, knows_leader=True, votes=False)}, {"master-1": None}, [NODE], [POD]),
        ("503", WHOLE, {"master-1": "503"}, [NODE], [POD]),
        ("node master-1 is not Ready", WHOLE, {"master-1": None}, [unready(NODE)], [POD]),
        ("node master-2 is not Ready", WHOLE, {"master-1": None, "master-2": None}, [NODE], [POD]),
        ("crash back-off", WHOLE, {"master-1": None}, [NODE], [unready(POD, containerStatuses=[WAITING])]),
        ("not ready", WHOLE, {"master-1": None}, [NODE], [unready(POD, phase="Pending")]),
    ],
)
def test_what_is_missing_is_said(
    said: str, members: dict[str, Any], masters: dict[str, Any], nodes: list[Any], pods: list[Any]
) -> None:
    assert any(said in problem for problem in missing(members, masters, nodes, pods, {}))


def test_a_balancer_that_does_not_serve_or_could_not_take_the_address_is_missing() -> None:
    found = missing(WHOLE, {"master-1": None}, [NODE], [POD], {"balancer-1": True, "balancer-2": False})
    assert found == ["balancer balancer-2 does not serve, or could not take the address"]


def test_a_member_is_read_from_its_metrics() -> None:
    page = (
        "# HELP etcd_server_is_leader x\netcd_server_has_leader 1\netcd_server_is_leader 0\netcd_server_is_learner 1\n"
    )
    assert member(page) == Member(leads=False, knows_leader=True, votes=False)


@pytest.mark.parametrize("packs", [True, False])
def test_a_member_is_asked_for_little_over_a_link_that_may_be_slow(
    monkeypatch: pytest.MonkeyPatch, packs: bool
) -> None:
    page = b"etcd_server_has_leader 1\netcd_server_is_leader 1\n" + b"# much more\n" * 10_000
    sent = []

    class Etcd(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            packed = packs and self.headers["Accept-Encoding"] == "gzip"
            content = gzip.compress(page) if packed else page
            sent.append(len(content))
            self.send_response(200)
            if packed:
                self.send_header("Content-Encoding", "gzip")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base class's name
            """Asking is no event."""

    with HTTPServer(("127.0.0.1", 0), Etcd) as server:
        monkeypatch.setattr(cluster, "ETCD_METRICS_PORT", server.server_port)
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(cluster._member, "127.0.0.1")
            server.handle_request()
            assert asked.result() == Member(leads=True, knows_leader=True, votes=True)
    assert (sent[0] < len(page) / 10) == packs


def machine(role: str, number: int) -> Machine:
    return Machine(f"{role}-{number}", role, "zone-a", "10.0.0.1", member=True)


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        (["master"], "development"),
        (["master"] * 3 + ["balancer"] * 2, "production"),
        (["master"] * 3 + ["member"] * 5, "critical"),
    ],
)
def test_the_machines_say_which_floors_hold(roles: list[str], expected: str) -> None:
    assert scenario([machine(role, number) for number, role in enumerate(roles)]) == expected


@pytest.mark.parametrize(
    ("restarts", "tier", "expected"),
    [(WORN_RESTARTS, "control-plane", ["m"]), (WORN_RESTARTS - 1, "control-plane", []), (9, "node", [])],
    ids=["often", "seldom", "not of the control plane"],
)
def test_a_master_whose_containers_were_restarted_often_is_worn(restarts: int, tier: str, expected: list[str]) -> None:
    statuses = {"containerStatuses": [{"restartCount": 0}, {"restartCount": restarts}]}
    pod = {"metadata": {"labels": {"tier": tier}}, "spec": {"nodeName": "m"}, "status": statuses}
    assert worn([pod]) == expected
