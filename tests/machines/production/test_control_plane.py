"""Three masters in three zones that answer, and a stack that behaves as any of Pulumi's does."""

import json
import time

import pytest

from cli import deletion
from tests.machines.agent_log import rows
from tests.machines.stack import Stack, eventually

pytestmark = [pytest.mark.machines, pytest.mark.timeout(900)]

NO_CHANGES_SECONDS = 15.0
BUSY = 3
"""How much slower a run may be on a machine that does other things as well."""
DNS_SECONDS = 60.0
ZONE = "topology.kubernetes.io/zone"


def test_rows_5_and_6_a_new_cluster_is_recorded_by_one_and_formed_once_by_all(stack: Stack) -> None:
    first = {machine.name: rows(stack.console(machine.name)) for machine in stack.cluster.view().members}
    assert {view.incarnation for view in stack.machines().values()} == {1}
    assert all(found[-1] == 6 for found in first.values()), first
    assert any(5 in found for found in first.values()), first
    # Row 2 waits for an object store that is slow to answer, and decides again.
    assert {row for found in first.values() for row in found} - {2} == {5, 6}


def test_three_nodes_are_ready_in_three_zones(stack: Stack) -> None:
    nodes = json.loads(stack.kubectl("get", "nodes", "--output=json"))["items"]
    ready = {
        node["metadata"]["labels"][ZONE]
        for node in nodes
        if any(found["type"] == "Ready" and found["status"] == "True" for found in node["status"]["conditions"])
    }
    assert ready == {"zone-a", "zone-b", "zone-c"}


def test_dns_is_in_two_zones(stack: Stack) -> None:
    def nodes() -> list[str]:
        pods = stack.kubectl("get", "pods", "--namespace=kube-system", "--selector=k8s-app=kube-dns", "--output=json")
        return sorted(pod["spec"].get("nodeName", "none") for pod in json.loads(pods)["items"])

    # One of a rollout that is just over may still be ending.
    eventually(lambda: len(set(nodes())) == len(nodes()) == 2, nodes, DNS_SECONDS)


def test_a_second_up_changes_nothing_and_is_quick(stack: Stack) -> None:
    again = stack.up()
    assert "unchanged" in again.output
    assert not any(word in again.output for word in (" created", " updated", " replaced", " deleted"))
    print(f"a second up: {again.seconds:.1f} s, target {NO_CHANGES_SECONDS:g} s")
    assert again.seconds < BUSY * NO_CHANGES_SECONDS


def test_kubectl_creates_lists_and_watches_through_the_endpoint(stack: Stack) -> None:
    watch = stack.start("kubectl", f"--kubeconfig={stack.kubeconfig}", "get", "configmaps", "--watch", "--output=name")
    try:
        stack.kubectl("create", "configmap", "seen", "--from-literal=a=b")
        assert "configmap/seen" in stack.kubectl("get", "configmaps", "--output=name")
        assert watch.stdout
        deadline = time.monotonic() + 30
        while "configmap/seen" not in (line := watch.stdout.readline()):
            assert line and time.monotonic() < deadline
    finally:
        watch.terminate()
        watch.communicate()
        stack.kubectl("delete", "configmap", "seen", "--ignore-not-found")


def test_refresh_and_preview_see_nothing_to_do(stack: Stack) -> None:
    refreshed = stack.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes").output
    assert "unchanged" in refreshed
    assert "unchanged" in stack.pulumi("preview", "--diff", "--expect-no-changes").output


def test_destroy_refuses_first_and_names_what_is_protected(stack: Stack) -> None:
    before = {name: view.incarnation for name, view in stack.machines().items()}
    exported = json.loads(stack.pulumi("stack", "export").output)["deployment"]["resources"]
    protected = [deletion.described(resource) for resource in exported if resource.get("protect")]
    said = stack.pulumi("destroy", "--yes", "--skip-preview", fails=True).output
    assert "protected" in said
    assert any(name.split()[1] in said for name in protected), (protected, said)
    assert {name: view.incarnation for name, view in stack.machines().items()} == before
    # Nor is anything gone that a machine needs only when it boots the next time.
    stack.pulumi("preview", "--expect-no-changes")
