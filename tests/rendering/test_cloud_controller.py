"""The cloud's controller manager, and what kubelets say for it: where a cloud has one, as its project has it."""

from collections.abc import Callable
from typing import Any

import pytest

from components.node import cloud_controller, kubeadm, kubelet
from components.node.kubelet import Host
from components.node.machine import Machine, Role
from tests.rendering.conftest import MASTERS, STACKS, document
from toolchain import versions
from toolchain.cloud_controller import REPOSITORIES

HOST = Host(container=False, cgroup_v1=False, swap=False)
MASTER = document(Role.MASTER, MASTERS[0]).model_copy(
    update={"cloud": "aws", "zone": "eu-west-1a", "provider_id": "aws:///eu-west-1a/i-0abc"}
)


def objects(machine: Machine = MASTER) -> dict[tuple[str, str], dict[str, Any]]:
    return {(made["kind"], made["metadata"]["name"]): made for made in cloud_controller.manifests(machine)}


def pod() -> dict[str, Any]:
    spec: dict[str, Any] = objects()["DaemonSet", cloud_controller.NAME]["spec"]["template"]["spec"]
    return spec


@pytest.mark.parametrize("machine", STACKS.values(), ids=STACKS)
def test_local_stacks_have_none_and_their_kubelets_wait_for_none(machine: Machine) -> None:
    assert cloud_controller.manifests(machine) == []
    assert "cloud-provider" not in kubeadm.render(machine, HOST)


def test_its_image_is_the_one_that_the_toolchain_makes_and_fits_the_clusters_version() -> None:
    version = versions.AWS_CLOUD_CONTROLLER_MANAGER
    assert {cloud: f"{name}:v{version}" for cloud, name in REPOSITORIES.items()} == cloud_controller.IMAGES
    assert version.split(".")[:2] == versions.KUBERNETES.split(".")[:2]


def test_the_program_knows_its_flags(tool: Callable[[str], str], accepted: Callable[..., Any]) -> None:
    flags = [f"--{name}={value}" for name, value in cloud_controller.flags(MASTER).items()]
    accepted("", tool("aws-cloud-controller-manager"), *flags, "--version=raw")


def test_the_kubelet_knows_what_it_says_of_its_machine(
    tool: Callable[[str], str], accepted: Callable[..., Any]
) -> None:
    flags = [f"--{name}={value}" for name, value in kubelet.cloud_flags(MASTER.provider_id).items()]
    assert len(flags) == 2
    accepted("", tool("kubelet"), *flags, "--version=raw")
    given = kubeadm.initialisation(MASTER, None)["nodeRegistration"]["kubeletExtraArgs"]
    assert {"name": "provider-id", "value": "aws:///eu-west-1a/i-0abc"} in given


def test_routes_and_load_balancers_are_not_its_business() -> None:
    assert cloud_controller.flags(MASTER)["controllers"] == "cloud-node-controller,cloud-node-lifecycle-controller"


def test_it_starts_before_nodes_are_initialised_and_without_a_pod_network_or_a_registry() -> None:
    assert pod()["hostNetwork"] is True
    assert {"operator": "Exists"} in pod()["tolerations"]
    (container,) = pod()["containers"]
    # The kubelet's default for a tag that is not `latest`: what is there is not asked for.
    assert "imagePullPolicy" not in container
    assert not container["image"].endswith(":latest")


def test_its_account_may_change_nodes_and_its_own_lease_and_nothing_else() -> None:
    rules = objects()["ClusterRole", f"kube-ha:{cloud_controller.NAME}"]["rules"]
    assert {resource for rule in rules for resource in rule["resources"]} == {"nodes", "nodes/status", "events"}
    rules = objects()["Role", cloud_controller.NAME]["rules"]
    assert [rule.get("resourceNames") for rule in rules if "update" in rule["verbs"]] == [[cloud_controller.NAME]]


def test_all_masters_ask_for_the_same_objects() -> None:
    other = MASTER.model_copy(update={"name": "master-2", "zone": "eu-west-1b", "provider_id": "aws:///eu-west-1b/i-1"})
    assert objects(other) == objects()
