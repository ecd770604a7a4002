"""What pods are told to trust before an authority signs, and which workers were there before."""

from base64 import b64encode
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from cli import pod_trust
from cli.engine import EngineError
from cli.kubectl import Kubectl
from cli.refused import RefusedError
from tests.agent.authorities import generation

FIRST, SECOND = (generation("kubernetes")[0] for _ in range(2))
BOTH = FIRST + SECOND
EARLY, PUBLISHED, LATE = (f"2026-03-01T10:00:{second}Z" for second in ("00", "30", "45"))


def config_map(namespace: str, certificates: str, written: str = PUBLISHED) -> dict[str, Any]:
    """One as the controller manager published it, and kubectl touched it afterwards."""
    fields = [{"manager": pod_trust.PUBLISHER, "time": written}, {"manager": "kubectl", "time": LATE}]
    metadata = {"namespace": namespace, "creationTimestamp": EARLY, "managedFields": fields}
    return {"metadata": metadata, "data": {"ca.crt": certificates}}


class Cluster:
    """What it answers, and a clock that only sleeping moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.config_maps = [config_map("kube-system", BOTH), config_map("shop", BOTH)]
        self.nodes: list[dict[str, Any]] = []
        self.slept = 0
        monkeypatch.setattr(Kubectl, "get", lambda _, kind, *more: {"items": self.answer(kind, *more)})
        clock = SimpleNamespace(monotonic=lambda: float(self.slept), sleep=self.sleep)
        monkeypatch.setattr(pod_trust, "time", clock)

    def answer(self, kind: str, *flags: str) -> list[dict[str, Any]]:
        if kind == "configmaps":
            assert "--show-managed-fields" in flags, "kubectl keeps them to itself unless asked"
        return {"configmaps": self.config_maps, "nodes": self.nodes}[kind]

    def sleep(self, seconds: float) -> None:
        self.slept += int(seconds)

    @property
    def engine(self) -> Any:
        """One that trusts both."""
        authorities = b64encode(BOTH.encode()).decode()
        text = yaml.safe_dump({"clusters": [{"cluster": {"certificate-authority-data": authorities}}]})
        return SimpleNamespace(stack="s", resources=lambda: [{}], outputs=lambda: {"kubeconfig": text})


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    return Cluster(monkeypatch)


def test_a_namespace_that_is_not_told_yet_is_waited_for(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster.config_maps[1] = config_map("shop", FIRST)

    def sleep(_: float) -> None:
        cluster.slept += 1
        if cluster.slept == 3:
            cluster.config_maps[1] = config_map("shop", SECOND + FIRST)

    monkeypatch.setattr("cli.pod_trust.time.sleep", sleep)
    pod_trust.settle(cluster.engine)
    assert cluster.slept == 3


def test_an_api_server_that_does_not_answer_is_asked_again(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter((RefusedError("kubectl: connection refused"), {"items": cluster.config_maps}))

    def get(_: Any, *__: str) -> Any:
        found = next(answers)
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(Kubectl, "get", get)
    pod_trust.settle(cluster.engine)
    assert cluster.slept == pod_trust.POLL_SECONDS


def test_what_is_not_published_in_time_names_the_namespace_and_who_should(cluster: Cluster) -> None:
    cluster.config_maps[1] = config_map("shop", FIRST)
    with pytest.raises(EngineError, match=r"not what the stack trusts after 300 s: shop; .* kube-controller-manager$"):
        pod_trust.settle(cluster.engine)


def test_workers_that_joined_before_are_named_and_those_of_the_same_second(cluster: Cluster) -> None:
    cluster.nodes = [node("worker-3", LATE), node("worker-2", PUBLISHED), node("worker-1", EARLY)]
    assert pod_trust.workers_of_before(cluster.engine) == ["worker-1", "worker-2"]


def test_where_nobody_is_said_to_have_published_every_worker_joined_before(cluster: Cluster) -> None:
    for one in cluster.config_maps:
        del one["metadata"]["managedFields"]
    cluster.nodes = [node("worker-1", LATE)]
    assert pod_trust.workers_of_before(cluster.engine) == ["worker-1"]


def node(name: str, joined: str) -> dict[str, Any]:
    """A worker."""
    return {"metadata": {"name": name, "creationTimestamp": joined}}
