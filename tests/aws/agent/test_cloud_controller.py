"""AWS's controller manager itself, started as the DaemonSet starts it: with a master's role, on an emulated AWS."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from components.node import cloud_controller
from components.node.agent.kubectl import KubectlError
from components.node.agent.throwaway import free_ports
from components.node.machine import Machine as Document
from components.node.machine import Role
from tests import api_server
from tests.agent.processes import eventually
from tests.api_server import ApiServer
from tests.aws.agent.conftest import Machine
from tests.aws.agent.world import CLUSTER, World
from tests.rendering.conftest import MASTERS, document
from toolchain import cache

pytestmark = pytest.mark.timeout(240)

WAITING = {"key": "node.cloudprovider.kubernetes.io/uninitialized", "value": "true", "effect": "NoSchedule"}
WITHHELD = "ec2:DescribeInstanceTopology"
SECONDS = 60
ADDRESS = "10.77.16.30"
"""A member's, reserved: not the one that EC2 gave its machine."""


@dataclass
class Controlled:
    """A cluster whose Nodes the controller looks after."""

    api: ApiServer
    world: World
    log: Path

    def register(self, name: str, instance: str, address: str) -> None:
        """What a kubelet does."""
        found = self.world.ask("ec2", "describe_instances", InstanceIds=[instance])["Reservations"][0]["Instances"][0]
        provider_id = f"aws:///{found['Placement']['AvailabilityZone']}/{instance}"
        given = {"alpha.kubernetes.io/provided-node-ip": address}
        self.api.kubectl.apply(
            [
                {
                    "apiVersion": "v1",
                    "kind": "Node",
                    "metadata": {"name": name, "annotations": given},
                    "spec": {"providerID": provider_id, "taints": [WAITING]},
                }
            ]
        )

    def node(self, name: str) -> dict[str, Any] | None:
        return self.api.kubectl.get("node", name)

    def await_initialised(self, name: str) -> None:
        def initialised() -> bool:
            node = self.node(name)
            return node is not None and WAITING not in node["spec"].get("taints", ())

        eventually(initialised, SECONDS, f"{name} is initialised; see {self.log}")


def a_master(identity: str) -> Document:
    here = {"cloud": "aws", "cluster": CLUSTER, "zone": "eu-west-1a", "provider_id": identity}
    return document(Role.MASTER, MASTERS[0]).model_copy(update=here)


@pytest.fixture(scope="module")
def controlled(machine: Machine, world: World, api: ApiServer) -> Iterator[Controlled]:
    """The manifests are applied and the program runs as their account; `machine` is the master that it runs on."""
    try:
        cache.binary("aws-cloud-controller-manager")
    except cache.MissingToolError as error:
        pytest.skip(str(error))
    master = a_master(machine.cloud.instance().provider_id)
    api.kubectl.apply(cloud_controller.manifests(master))
    # The emulator stumbles over what the program is content to be refused; trying again takes it seconds for each Node.
    with (
        world.without(machine.role, WITHHELD),
        api_server.process("controller", command(master, api), api.folder),
    ):
        yield Controlled(api, world, api.folder / "controller.log")


def command(master: Document, api: ApiServer) -> list[str]:
    """Its flags, with the files and the ports of this test."""
    token = api.kubectl("create", "token", cloud_controller.NAME, "--namespace=kube-system").strip()
    configuration = api.folder / "cloud.conf"
    (content,) = cloud_controller.configuration(master)["data"].values()
    configuration.write_text(content)
    (port,) = free_ports(1)
    given = {
        **cloud_controller.flags(master),
        "cloud-config": str(configuration),
        "secure-port": str(port),
        "kubeconfig": str(api.kubeconfig({"token": token})),
    }
    return [str(cache.binary("aws-cloud-controller-manager")), *(f"--{name}={value}" for name, value in given.items())]


def test_a_node_learns_what_its_machine_is_and_takes_pods(controlled: Controlled, machine: Machine) -> None:
    machine.cloud.take_address(ADDRESS)
    controlled.register("master-1", machine.instance, ADDRESS)
    controlled.await_initialised("master-1")
    node = controlled.node("master-1")
    assert node is not None
    labels = node["metadata"]["labels"]
    assert labels["topology.kubernetes.io/zone"] == "eu-west-1a"
    assert labels["topology.kubernetes.io/region"] == "eu-west-1"
    assert labels["node.kubernetes.io/instance-type"] == "m7a.large"
    inside = [entry["address"] for entry in node["status"]["addresses"] if entry["type"] == "InternalIP"]
    assert inside == [ADDRESS], "where its kubelet is reached, not the address that EC2 gave it first"


def test_the_node_of_a_terminated_instance_goes_and_those_of_others_stay(controlled: Controlled, world: World) -> None:
    ended, kept = world.launch("more-masters", 2)
    for name, instance in (("ended", ended), ("kept", kept)):
        controlled.register(name, instance, world.interface(instance)["PrivateIpAddress"])
        controlled.await_initialised(name)
    world.ask("ec2", "terminate_instances", InstanceIds=[ended])
    eventually(lambda: controlled.node("ended") is None, SECONDS, f"its Node goes; see {controlled.log}")
    assert controlled.node("kept") is not None


def test_it_is_refused_nothing_but_what_was_withheld(controlled: Controlled, world: World) -> None:
    (instance,) = world.launch("another-master")
    controlled.register("asked-about", instance, world.interface(instance)["PrivateIpAddress"])
    controlled.await_initialised("asked-about")
    said = controlled.log.read_text()
    assert "is forbidden" not in said
    assert set(re.findall(r"not authorized to perform: ([\w:]+)", said)) == {WITHHELD}


def test_its_account_may_read_no_secret(controlled: Controlled) -> None:
    account = f"--as=system:serviceaccount:kube-system:{cloud_controller.NAME}"
    with pytest.raises(KubectlError, match="forbidden"):
        controlled.api.kubectl("get", "secrets", "--all-namespaces", account)
