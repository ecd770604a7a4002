"""A drain moves what kubectl would move, waits for budgets, and is undone on the node that it was for only."""

from typing import Any

import pytest

from drills import drain as module
from drills import kubeconfig
from drills.api import Api
from drills.drain import CORDONED, DrainError, drain, moves, uncordon
from tests.drills.fake_api import FakeApi

NODE = "/api/v1/nodes/master-1"
EVICTION = "/api/v1/namespaces/kube-system/pods/coredns/eviction"


def pod(name: str, owner: str = "ReplicaSet", **annotations: str) -> dict[str, Any]:
    notes = {key.replace("_", "/"): value for key, value in annotations.items()}
    metadata = {"name": name, "namespace": "kube-system", "annotations": notes, "ownerReferences": [{"kind": owner}]}
    return {"metadata": metadata}


@pytest.fixture
def client(api: FakeApi) -> Api:
    api.objects[NODE] = {"metadata": {"name": "master-1", "annotations": {}}, "spec": {}}
    api.objects["/api/v1/nodes"] = {"items": [api.objects[NODE], {"metadata": {"name": "worker"}, "spec": {}}]}
    api.objects["/api/v1/pods"] = {"items": [pod("coredns"), pod("kube-proxy", "DaemonSet")]}
    return Api(kubeconfig.load(api.kubeconfig))


def test_static_pods_and_those_of_daemon_sets_stay() -> None:
    assert moves(pod("coredns"))
    assert not moves(pod("kube-proxy", "DaemonSet"))
    assert not moves({"metadata": {"annotations": {"kubernetes.io/config.mirror": "x"}}})


def test_a_drained_node_is_unschedulable_until_it_is_undone(api: FakeApi, client: Api) -> None:
    drain(client, "master-1")
    assert api.objects[NODE]["spec"] == {"unschedulable": True}
    assert [path for method, path in api.requests if method == "POST"] == [EVICTION]
    uncordon(client)
    assert api.objects[NODE] == {"metadata": {"name": "master-1", "annotations": {}}, "spec": {}}


def test_a_node_that_somebody_else_cordoned_stays_so(api: FakeApi, client: Api) -> None:
    api.objects[NODE]["spec"]["unschedulable"] = True
    uncordon(client)
    assert api.objects[NODE]["spec"]["unschedulable"]
    assert CORDONED not in api.objects[NODE]["metadata"]["annotations"]


def test_a_budget_is_waited_for(api: FakeApi, client: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.01)
    api.answers[EVICTION] = [429, 429, 201]
    drain(client, "master-1")
    assert api.answers[EVICTION] == []


def test_a_budget_that_never_allows_it_is_named(api: FakeApi, client: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EVICTION_SECONDS", 0.0)
    api.answers[EVICTION] = [429]
    with pytest.raises(DrainError, match="kube-system/coredns"):
        drain(client, "master-1")
