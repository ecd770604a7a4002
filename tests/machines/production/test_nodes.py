"""Nodes that are drained: a master is not missed, and what a PodDisruptionBudget keeps stays."""

import json
import time
from typing import Any

import pytest

from tests.machines.stack import Stack, eventually

pytestmark = [pytest.mark.machines, pytest.mark.timeout(900)]

READY_SECONDS = 120
DNS = ("--namespace=kube-system", "--selector=k8s-app=kube-dns", "--output=json")


def dns(stack: Stack) -> list[dict[str, Any]]:
    """CoreDNS's pods."""
    found: list[dict[str, Any]] = json.loads(stack.kubectl("get", "pods", *DNS))["items"]
    return found


def ready(pods: list[dict[str, Any]]) -> int:
    """How many of them are ready."""
    conditions = [found for pod in pods for found in pod["status"].get("conditions", ())]
    return sum(found["type"] == "Ready" and found["status"] == "True" for found in conditions)


def test_two_drained_masters_leave_one_dns_pod_at_any_time_and_the_api_up(stack: Stack) -> None:
    eventually(lambda: len(dns(stack)) == ready(dns(stack)) == 2, lambda: dns(stack), READY_SECONDS)
    nodes = [pod["spec"]["nodeName"] for pod in dns(stack)]
    assert len(set(nodes)) == 2
    every = stack.kubectl("get", "nodes", "--output=name").replace("node/", "").split()
    others = [node for node in every if node not in nodes]
    seen: list[int] = []

    def drained(node: str, seconds: int) -> tuple[int, str]:
        config, limit = f"--kubeconfig={stack.kubeconfig}", f"--timeout={seconds}s"
        drain = stack.start("kubectl", config, "drain", node, "--ignore-daemonsets", limit)
        while drain.poll() is None:
            # Each look is a read through the endpoint: one that failed would end the test.
            seen.append(ready(dns(stack)))
            time.sleep(0.2)
        return drain.returncode, drain.communicate()[0]

    try:
        # What is evicted has no node to go to, so that the second drain meets a budget that allows nothing.
        stack.kubectl("cordon", *others)
        status, said = drained(nodes[0], 60)
        assert status == 0, said
        status, said = drained(nodes[1], 5)
        assert status != 0, said
        assert "disruption budget" in said, said
        stack.kubectl("uncordon", *others)
        status, said = drained(nodes[1], 60)
        assert status == 0, said
        assert min(seen) >= 1, (seen, said)
        stack.kubectl("create", "configmap", "drained")
        stack.kubectl("delete", "configmap", "drained")
    finally:
        stack.kubectl("uncordon", *every)
    eventually(lambda: ready(dns(stack)) == 2, lambda: dns(stack), READY_SECONDS)
