"""What a machine on AWS finds out, takes and says, with the role that the stack gives it and nothing else."""

import json

import pytest

from components.node.agent.cloud import CloudError, NotFoundError
from components.node.agent.clouds.aws import Aws
from components.node.worker import SECRET
from tests.aws.agent.conftest import Machine
from tests.aws.agent.world import BUCKET, CLUSTER, World

ADDRESS = "10.77.16.16"
OF_CLUSTER = [{"Name": "Cluster", "Value": CLUSTER}]
PODS = "10.244.1.0/24"


def test_a_machine_finds_itself(machine: Machine) -> None:
    found = machine.cloud.instance()
    assert (found.id, found.machine, found.group) == (machine.instance, "test_machine-1", "test_machine-1")
    assert (found.zone, found.address) == ("eu-west-1a", machine.metadata["local-ipv4"])
    assert found.template == found.desired_template


def test_it_learns_that_its_groups_template_changed(machine: Machine, world: World) -> None:
    data = {"ImageId": "ami-0abc", "InstanceType": "m7a.large", "UserData": "aGk="}
    world.ask("ec2", "create_launch_template_version", LaunchTemplateId=world.template, LaunchTemplateData=data)
    launch_from(world, "2")
    found = machine.cloud.instance()
    launch_from(world, "1")
    assert found.template == f"{world.template}:1"
    assert found.desired_template == f"{world.template}:2"


def launch_from(world: World, version: str) -> None:
    """Give the machine's group this version of its template."""
    change = {"LaunchTemplateId": world.template, "Version": version}
    world.ask("autoscaling", "update_auto_scaling_group", AutoScalingGroupName="test_machine-1", LaunchTemplate=change)


def test_it_takes_its_address_and_speaks_from_it(machine: Machine, world: World) -> None:
    machine.cloud.take_address(ADDRESS)
    assert ["ip", "address", "replace", f"{ADDRESS}/20", "dev", "ens5", "noprefixroute"] in machine.commands
    assert any(command[:3] == ["ip", "route", "replace"] and ADDRESS in command for command in machine.commands)
    addresses = world.interface(machine.instance)["PrivateIpAddresses"]
    assert ADDRESS in {entry["PrivateIpAddress"] for entry in addresses}


def test_it_attaches_its_volume_once(machine: Machine, world: World) -> None:
    disk = machine.cloud.attach_volume()
    with world.without(machine.role, "ec2:AttachVolume"):
        assert machine.cloud.attach_volume() == disk
    named = [{"Name": "tag:kube-ha:machine", "Values": ["test_machine-1"]}]
    (volume,) = world.ask("ec2", "describe_volumes", Filters=named)["Volumes"]
    assert [attachment["InstanceId"] for attachment in volume["Attachments"]] == [machine.instance]
    assert disk.endswith(volume["VolumeId"].replace("-", ""))


def test_it_reads_its_secret_and_knows_when_there_is_none(machine: Machine) -> None:
    assert json.loads(machine.cloud.secret("etcd-peer-ca")) == {"key": "k"}
    with pytest.raises(NotFoundError):
        machine.cloud.secret("no-such")
    with pytest.raises(NotFoundError, match="can't find the specified secret value"):
        machine.cloud.secret(SECRET)


def test_its_pods_are_reached_through_it_until_somebody_says_otherwise(machine: Machine, world: World) -> None:
    machine.cloud.route(PODS)
    machine.cloud.route(PODS)
    via = machine.cloud.routes()[PODS]
    machine.cloud.unroute(PODS, "10.9.9.9")
    assert machine.cloud.routes() == {PODS: via}
    interface = world.interface(machine.instance)
    assert interface["SourceDestCheck"] is False
    machine.cloud.unroute(PODS, via)
    assert machine.cloud.routes() == {}


def test_routes_of_machines_without_an_agent_move_to_their_next_machine(machine: Machine, world: World) -> None:
    one, other = (world.interface(instance)["PrivateIpAddress"] for instance in world.launch("workers", 2))
    machine.cloud.route(PODS, one)
    assert machine.cloud.routes() == {PODS: one}
    machine.cloud.route(PODS, other)
    assert machine.cloud.routes() == {PODS: other}
    machine.cloud.unroute(PODS, other)
    with pytest.raises(CloudError, match=r"no network interface has the address 10\.77\.99\.99"):
        machine.cloud.route(PODS, "10.77.99.99")


def test_what_it_wraps_is_not_readable(machine: Machine) -> None:
    wrapped = machine.cloud.wrap(b"recovery key" * 1000)
    assert b"recovery" not in wrapped
    assert set(json.loads(wrapped)) == {"key", "nonce", "content"}


def test_it_tells_how_it_is(machine: Machine, world: World) -> None:
    machine.cloud.report(ready=False, phase="etcd", message="waiting", certificate_days=None, concerns=0)
    machine.cloud.report(ready=True, phase="ready", message="all is well", certificate_days=120.0, concerns=1)
    metrics = world.ask("cloudwatch", "list_metrics", Namespace="kube-ha")["Metrics"]
    of_cluster = [metric["MetricName"] for metric in metrics if metric["Dimensions"] == OF_CLUSTER]
    assert sorted(of_cluster) == ["CertificateDays", "Concerns", "Unwell"]


def test_it_answers_the_groups_hook_when_it_is_to_end(machine: Machine) -> None:
    assert not machine.cloud.ending()
    machine.metadata["autoscaling/target-lifecycle-state"] = "Terminated"
    try:
        assert machine.cloud.ending()
        machine.cloud.let_go()
    finally:
        del machine.metadata["autoscaling/target-lifecycle-state"]


def test_an_instance_of_no_stack_says_so(machine: Machine) -> None:
    kept = machine.metadata.pop("tags/instance/kube-ha:cluster")
    try:
        with pytest.raises(CloudError, match="not launched from a stack's template"):
            Aws(BUCKET).route(PODS)
    finally:
        machine.metadata["tags/instance/kube-ha:cluster"] = kept
