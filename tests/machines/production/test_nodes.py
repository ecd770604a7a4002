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


def test_two_masters_drained_at_once_leave_one_dns_pod_at_any_time_and_the_api_up(stack: Stack) -> None:
    eventually(lambda: len(dns(stack)) == ready(dns(stack)) == 2, lambda: dns(stack), READY_SECONDS)
    nodes = [pod["spec"]["nodeName"] for pod in dns(stack)]
    assert len(set(nodes)) == 2
    config = f"--kubeconfig={stack.kubeconfig}"
    drains = [stack.start("kubectl", config, "drain", node, "--ignore-daemonsets", "--timeout=60s") for node in nodes]
    try:
        seen = []
        while any(drain.poll() is None for drain in drains):
            # Each look is a read through the endpoint: one that failed would end the test.
            seen.append(ready(dns(stack)))
            time.sleep(0.2)
        said = "\n".join(drain.communicate()[0] for drain in drains)
        assert min(seen) >= 1, (seen, said)
        assert "disruption budget" in said, said
        stack.kubectl("create", "configmap", "drained")
        stack.kubectl("delete", "configmap", "drained")
    finally:
        stack.kubectl("uncordon", *nodes)
    eventually(lambda: ready(dns(stack)) == 2, lambda: dns(stack), READY_SECONDS)
