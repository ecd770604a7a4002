"""Faults on AWS, against an emulator: what is stopped and cut is what was named, and all of it is undone."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest

from drills import fault, inventory, place
from drills.aws import AwsInjector, connect
from drills.fault import Machine
from drills.injector import InjectionError
from drills.inventory import InventoryError
from rehearsal.emulation import emulator
from tests.drills.fake_api import FakeApi

REGION = "eu-west-1"
OURS, THEIRS = "prod-aws", "other-aws"
ZONES = ("eu-west-1a", "eu-west-1b")
ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "emulated", "AWS_SECRET_ACCESS_KEY": "emulated"}


class Account:
    """Two clusters with a subnet and a master in each of two zones, and a subnet of nobody."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.ec2: Any = boto3.client("ec2", region_name=REGION, endpoint_url=url)
        self.instances: dict[str, list[str]] = {}
        self.addresses: dict[str, dict[str, str]] = {}
        """Cluster → address → machine."""
        self.vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.subnets = {
            (cluster, zone): self._subnet(f"10.0.{number}.0/24", zone, cluster)
            for number, (cluster, zone) in enumerate((one, zone) for one in (OURS, THEIRS, "") for zone in ZONES)
        }
        for cluster in (OURS, THEIRS):
            made = [self.master(cluster, self.subnets[cluster, zone], number) for number, zone in enumerate(ZONES, 1)]
            self.instances[cluster] = [instance["InstanceId"] for instance in made]
            self.addresses[cluster] = {
                instance["PrivateIpAddress"]: f"master-{number}" for number, instance in enumerate(made, 1)
            }

    def states(self, cluster: str) -> list[str]:
        found = self.ec2.describe_instances(InstanceIds=self.instances[cluster])["Reservations"]
        states = {one["InstanceId"]: one["State"]["Name"] for entry in found for one in entry["Instances"]}
        return [states[instance] for instance in self.instances[cluster]]

    def acls(self) -> dict[str, str]:
        """Subnet → its network ACL."""
        found = self.ec2.describe_network_acls()["NetworkAcls"]
        return {entry["SubnetId"]: entry["NetworkAclId"] for acl in found for entry in acl["Associations"]}

    def marked(self) -> list[Any]:
        """What carries the mark of a drill."""
        wanted = [{"Name": "tag-key", "Values": ["kube-ha:drill"]}]
        return [
            *self.ec2.describe_instances(Filters=wanted)["Reservations"],
            *self.ec2.describe_network_acls(Filters=wanted)["NetworkAcls"],
        ]

    def _subnet(self, cidr: str, zone: str, cluster: str) -> str:
        tags = [_tags("subnet", {"kube-ha:cluster": cluster})] if cluster else []
        made = self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=cidr, AvailabilityZone=zone, TagSpecifications=tags)
        return str(made["Subnet"]["SubnetId"])

    def master(self, cluster: str, subnet: str, number: int) -> dict[str, Any]:
        tags = {"kube-ha:cluster": cluster, "kube-ha:role": "master", "kube-ha:machine": f"master-{number}"}
        made = self.ec2.run_instances(
            ImageId="ami-0abc",
            MinCount=1,
            MaxCount=1,
            SubnetId=subnet,
            UserData=f"#cloud-config\n{{}} # {cluster}",
            TagSpecifications=[_tags("instance", tags)],
        )
        instance: dict[str, Any] = made["Instances"][0]
        return instance


def _tags(kind: str, tags: Mapping[str, str]) -> dict[str, Any]:
    return {"ResourceType": kind, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    patch = pytest.MonkeyPatch()
    for name, value in ENVIRONMENT.items():
        patch.setenv(name, value)
    with emulator(tmp_path_factory.mktemp("emulator") / "log") as url:
        patch.setenv("AWS_ENDPOINT_URL", url)
        patch.setattr(boto3, "DEFAULT_SESSION", None)
        yield Account(url)
    patch.undo()


@pytest.fixture
def injector(account: Account) -> Iterator[AwsInjector]:
    made = AwsInjector(account.ec2, OURS, lambda: account.addresses[OURS])
    made.machines()
    yield made
    made.heal()
    assert set(account.states(OURS)) == {"running"}


def test_the_machines_are_the_clusters_instances(account: Account, injector: AwsInjector) -> None:
    addresses = {name: address for address, name in account.addresses[OURS].items()}
    assert list(injector.machines()) == [
        Machine(f"master-{number}", "master", zone, addresses[f"master-{number}"], member=True)
        for number, zone in enumerate(ZONES, 1)
    ]


def test_a_master_without_a_name_of_its_own_has_its_nodes(account: Account) -> None:
    (instance, _), names = account.instances[THEIRS], {**account.addresses[THEIRS]}
    account.ec2.delete_tags(Resources=[instance], Tags=[{"Key": "kube-ha:machine"}])
    try:
        injector = AwsInjector(account.ec2, THEIRS, lambda: names)
        assert [one.name for one in injector.machines()] == ["master-1", "master-2"]
        names.clear()
        with pytest.raises(InjectionError, match=f"{instance} has no name"):
            injector.machines()
    finally:
        account.ec2.create_tags(Resources=[instance], Tags=[{"Key": "kube-ha:machine", "Value": "master-1"}])


@pytest.mark.parametrize("harm", ["kill", "power_off"])
def test_what_is_stopped_is_what_was_named_and_it_is_started_again(
    account: Account, injector: AwsInjector, harm: str
) -> None:
    getattr(injector, harm)("master-2")
    assert account.states(OURS) == ["running", "stopped"]
    assert account.states(THEIRS) == ["running", "running"]
    injector.heal()
    assert account.states(OURS) == ["running", "running"]
    assert account.marked() == []


def test_who_a_machine_is_changes_with_its_instance_and_it_is_nobody_while_there_is_none(account: Account) -> None:
    subnet = account.subnets["", ZONES[0]]
    first, second = (account.master("spare-aws", subnet, number) for number in (1, 2))
    named = {first["PrivateIpAddress"]: "master-1", second["PrivateIpAddress"]: "master-2"}
    injector = AwsInjector(account.ec2, "spare-aws", lambda: named)
    assert injector.incarnation("master-2") == second["InstanceId"]
    account.ec2.terminate_instances(InstanceIds=[second["InstanceId"]])
    assert injector.incarnation("master-2") == ""
    fresh = account.master("spare-aws", subnet, 2)
    # Its Node still has the other's address, so it may be of another cluster; it is nobody until that is known.
    assert injector.incarnation("master-2") == ""
    named[fresh["PrivateIpAddress"]] = named.pop(second["PrivateIpAddress"])
    assert injector.incarnation("master-2") == fresh["InstanceId"]
    assert injector.incarnation("master-1") == first["InstanceId"]
    account.ec2.terminate_instances(InstanceIds=[first["InstanceId"], fresh["InstanceId"]])


def test_what_another_stopped_is_not_started(account: Account, injector: AwsInjector) -> None:
    first = account.instances[THEIRS][0]
    account.ec2.stop_instances(InstanceIds=[first])
    try:
        injector.heal()
        assert account.states(THEIRS) == ["stopped", "running"]
    finally:
        account.ec2.start_instances(InstanceIds=[first])


def test_a_cut_zone_is_its_subnets_and_nobody_elses(account: Account, injector: AwsInjector) -> None:
    before = account.acls()
    injector.cut(ZONES[0], "silent")
    during = account.acls()
    assert {subnet for subnet in before if before[subnet] != during[subnet]} == {account.subnets[OURS, ZONES[0]]}
    made = during[account.subnets[OURS, ZONES[0]]]
    (acl,) = account.ec2.describe_network_acls(NetworkAclIds=[made])["NetworkAcls"]
    assert [entry for entry in acl["Entries"] if entry["RuleAction"] == "allow"] == []
    with pytest.raises(InjectionError, match="cut already"):
        injector.cut(ZONES[1], "silent")
    injector.heal()
    assert account.acls() == before
    assert account.marked() == []


def test_a_zone_without_a_subnet_of_the_clusters_own_is_not_cut(account: Account, injector: AwsInjector) -> None:
    before = account.acls()
    with pytest.raises(InjectionError, match="others' are not cut"):
        injector.cut("eu-west-1c", "silent")
    assert account.acls() == before


@pytest.mark.parametrize("how", ["link", "one-way"])
def test_a_cut_that_a_network_acl_does_not_make_is_refused(injector: AwsInjector, how: str) -> None:
    with pytest.raises(InjectionError, match="silently only"):
        injector.cut(ZONES[0], how)


def test_the_faults_that_are_possible_are_those_that_ec2_can_do(injector: AwsInjector) -> None:
    declared = fault.load().values()
    possible = {
        one.name
        for one in declared
        if not any(injector.unable(step) for step in one.steps if isinstance(step, fault.Inject))
    }
    assert {"master-kill", "leader-kill", "master-power-off", "roll", "drain", "zone-silent"} <= possible
    assert possible.isdisjoint({"zone-cut", "master-silent", "leader-isolated", "etcd-paused", "disk-full"})


def test_an_unknown_cluster_is_refused_with_those_that_there_are(account: Account) -> None:
    with pytest.raises(InjectionError, match=rf"kube-ha:cluster=prod-was; there are: {THEIRS}, {OURS}"):
        AwsInjector(account.ec2, "prod-was", dict).machines()


def test_a_kubeconfig_of_another_cluster_is_refused(account: Account) -> None:
    injector = AwsInjector(account.ec2, OURS, lambda: account.addresses[THEIRS])
    with pytest.raises(InjectionError, match="another cluster"):
        injector.machines()
    with pytest.raises(InjectionError, match="master-1"):
        injector.kill("master-1")
    assert account.states(OURS) == ["running", "running"]


def test_two_programs_are_told_apart(account: Account, injector: AwsInjector) -> None:
    other = AwsInjector(account.ec2, THEIRS, lambda: account.addresses[THEIRS])
    assert injector.program() == injector.program() != other.program()


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    file = tmp_path / "inventory.yaml"
    file.write_text(f"cloud: aws\nregion: {REGION}\ncluster: {OURS}\n")
    return file


@pytest.mark.parametrize("harm", [None, THEIRS])
def test_without_the_flag_that_names_the_cluster_nothing_is_touched(listed: Path, harm: str | None) -> None:
    with pytest.raises(InventoryError, match=f"--harm {OURS}"):
        place.place("local", listed, harm)
    assert place.place("local", listed, OURS) == place.Place(OURS, listed)


def test_what_is_no_inventory_is_refused_with_what_one_says(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("cloud: aws\nregion: eu-west-1\n")
    with pytest.raises(InventoryError, match=r"(?s)x\.yaml.*cluster"):
        inventory.load(tmp_path / "x.yaml")


DRILL = """
import sys, time
from pathlib import Path
from drills.guard import guarded
from drills.place import Place
kubeconfig, listed = map(Path, sys.argv[1:])
place = Place("prod-aws", listed)
with guarded(place, kubeconfig):
    injector = place.injector(kubeconfig)
    injector.machines()
    injector.kill("master-1")
    injector.cut("eu-west-1b", "silent")
    print("harmed", flush=True)
    time.sleep(60)
"""


def test_the_harm_of_a_drill_that_is_killed_is_undone(account: Account, api: FakeApi, listed: Path) -> None:
    api.objects["/api/v1/nodes"] = {
        "items": [
            {"metadata": {"name": name}, "status": {"addresses": [{"type": "InternalIP", "address": address}]}}
            for address, name in account.addresses[OURS].items()
        ]
    }
    before = account.acls()
    command = [sys.executable, "-c", DRILL, str(api.kubeconfig), str(listed)]
    with subprocess.Popen(command, env={**os.environ}, stdout=subprocess.PIPE, text=True) as drill:
        assert drill.stdout
        assert drill.stdout.readline() == "harmed\n"
        assert account.states(OURS) == ["stopped", "running"]
        assert account.acls() != before
        drill.send_signal(signal.SIGKILL)
    until = time.monotonic() + 30
    while account.marked() and time.monotonic() < until:
        time.sleep(0.1)
    assert account.states(OURS) == ["running", "running"]
    assert account.acls() == before


def test_the_injector_of_an_inventory_is_of_its_cluster(account: Account, api: FakeApi, listed: Path) -> None:
    api.objects["/api/v1/nodes"] = {"items": []}
    found = connect(inventory.load(listed), api.kubeconfig).machines()
    assert {machine.address for machine in found} == set(account.addresses[OURS])
