"""Nodes come and go: a drained master is not missed, and a worker joins with kubeadm's own command."""

import json
import time
from typing import Any

import pytest

from tests.machines import worker
from tests.machines.stack import Stack, eventually

pytestmark = [pytest.mark.machines, pytest.mark.timeout(420)]

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
    eventually(lambda: ready(dns(stack)) == 2, lambda: dns(stack), 120)


def test_a_worker_joins_with_kubeadm_and_its_pods_find_services_by_name(stack: Stack) -> None:
    with worker.joined(stack) as name:
        eventually(
            lambda: " Ready " in stack.kubectl("get", "node", name, "--ignore-not-found"),
            lambda: stack.console(name)[-4000:],
            180,
        )
        stack.kubectl("run", "resolver", "--image=none", "--overrides", json.dumps(resolver(name)))
        try:
            eventually(
                lambda: "kubernetes.default" in stack.kubectl("logs", "resolver", "--ignore-errors"),
                lambda: stack.kubectl("describe", "pod", "resolver"),
                120,
            )
        finally:
            stack.kubectl("delete", "pod", "resolver", "--grace-period=0", "--force")


def resolver(node: str) -> dict[str, Any]:
    """A pod that looks a Service up with the machine's own programs: no registry has to be reached for it."""
    folders = ("usr", "lib", "lib64")
    return {
        "spec": {
            "nodeName": node,
            "containers": [
                {
                    "name": "resolver",
                    "image": "registry.k8s.io/pause:3.10.2",
                    "imagePullPolicy": "Never",
                    "command": ["/usr/bin/getent", "hosts", "kubernetes.default.svc.cluster.local"],
                    "volumeMounts": [{"name": name, "mountPath": f"/{name}", "readOnly": True} for name in folders],
                }
            ],
            "volumes": [{"name": name, "hostPath": {"path": f"/{name}"}} for name in folders],
        }
    }
