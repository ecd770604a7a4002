"""Faults of a cluster on AWS, made by EC2's API from outside: instances are stopped, zones are cut by a network ACL.

What is harmed is marked with the tag `kube-ha:drill` before anything is done to it, and the marks say how it was: so
everything can be undone by whoever comes after a drill that crashed. Nothing is touched that does not carry the
cluster's tag. Leader and health are seen as on every cluster, so the drill runs where the members' port 2381 and the
masters' 6443 can be reached.
"""

import time
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from components.node.agent.clouds.aws import CLUSTER_TAG, MACHINE_TAG
from components.node.agent.clouds.aws_routes import filters, node_address
from drills import aws_cut, kubeconfig
from drills.api import Api, ApiError
from drills.aws_cut import DRILL_TAG, tags
from drills.conditions import program
from drills.fault import Aim, Cut, Drain, Inject, Kill, Machine, PowerOff, Roll
from drills.injector import InjectionError
from drills.inventory import Inventory

ROLE_TAG: Final = "kube-ha:role"
THERE: Final = ("pending", "running", "stopping", "stopped")
ZONES: Final = frozenset({Aim.ZONE_OF_LEADER, Aim.ZONE_OF_BALANCER})
STOP_SECONDS: Final = 600.0
"""An instance that is stopping cannot be started yet; one whose system does not answer takes minutes."""
POLL_SECONDS: Final = 2.0
NOT_NOW: Final = frozenset({"IncorrectInstanceState", "InvalidInstanceID.NotFound"})
"""The instance is still stopping, or its group is ending it and starts another in its place."""


def connect(inventory: Inventory, config: Path) -> "AwsInjector":
    """The injector of an inventory's cluster, with the credentials of the environment.

    Raises:
        KubeconfigError: the names of masters cannot be asked for.
    """
    api = Api(kubeconfig.load(config))
    return AwsInjector(boto3.client("ec2", region_name=inventory.region), inventory.cluster, lambda: nodes(api))


def nodes(api: Api) -> Mapping[str, str]:
    """Address → name of the cluster's Nodes.

    Raises:
        InjectionError: the API does not answer.
    """
    try:
        items = api.call("GET", "/api/v1/nodes")["items"]
    except ApiError as error:
        raise InjectionError(f"Nodes, by which masters are named: {error}") from error
    return {
        entry["address"]: node["metadata"]["name"]
        for node in items
        for entry in node.get("status", {}).get("addresses", ())
        if entry["type"] == "InternalIP"
    }


class AwsInjector:
    """The instances of one cluster. `ec2` is boto3's client, `named` says the Nodes' names by address."""

    inside = False
    recovery_seconds = 900.0

    def __init__(self, ec2: Any, cluster: str, named: Callable[[], Mapping[str, str]]) -> None:
        self._ec2, self._cluster, self._named = ec2, cluster, named
        self._instances: dict[str, str] = {}
        """Machine → instance."""

    def machines(self) -> Sequence[Machine]:
        """See `Injector`."""
        found = sorted(self._described(), key=lambda instance: str(instance["LaunchTime"]))
        if not found:
            raise InjectionError(
                f"no instance carries the tag {CLUSTER_TAG}={self._cluster}; there are: {self._seen()}"
            )
        named = self._named()
        names = {instance["InstanceId"]: self._name(instance, named) for instance in found}
        # A machine that is being replaced is two instances for a while: the later one counts.
        by_name = {names[instance["InstanceId"]]: instance for instance in found}
        self._instances = {name: instance["InstanceId"] for name, instance in by_name.items()}
        external = any(tags(instance)[ROLE_TAG] == "member" for instance in found)
        return [_machine(name, instance, "member" if external else "master") for name, instance in by_name.items()]

    def program(self) -> str:
        """See `Injector`."""
        with _explained("what instances boot from"):
            answers = [
                self._ec2.describe_instance_attribute(InstanceId=instance["InstanceId"], Attribute="userData")
                for instance in self._described()
            ]
        return program(b64decode(answer["UserData"].get("Value", "")).decode() for answer in answers)

    def incarnation(self, machine: str) -> str:
        """See `Injector`."""
        # While one takes another's place they cannot all be named.
        with suppress(InjectionError):
            self.machines()
        return self._instances.get(machine, "")

    def unable(self, step: Inject) -> str | None:
        """See `Injector`."""
        match step:
            case Kill() | PowerOff() | Roll() | Drain():
                return None
            case Cut(how="silent", target=target) if target in ZONES:
                return None
            case Cut():
                return "needs a cut that a network ACL does not make: that of a zone, as silence"
            case _:
                return "needs a hand inside machines, which EC2's API does not give"

    def kill(self, machine: str) -> None:
        """See `Injector`. Without the system's shutdown: what was not synced is lost."""
        self._stop(machine, at_once=True)

    def power_off(self, machine: str) -> None:
        """See `Injector`."""
        self._stop(machine, at_once=False)

    def cut(self, target: str, how: str) -> None:
        """See `Injector`."""
        if how != "silent":
            raise InjectionError(f"cut {target} ({how}): a network ACL cuts silently only")
        with _explained(f"cut {target}"):
            aws_cut.cut(self._ec2, self._cluster, target)

    def signal(self, machine: str, program: str, signal: str) -> None:
        """See `Injector`."""
        raise self._impossible(f"SIG{signal} to {program}", machine)

    def wipe(self, machine: str) -> None:
        """See `Injector`."""
        raise self._impossible("wipe", machine)

    def fill(self, machine: str) -> None:
        """See `Injector`."""
        raise self._impossible("fill", machine)

    def slow(self, machine: str, what: str) -> None:
        """See `Injector`."""
        raise self._impossible(f"slow {what}", machine)

    def run(self, machine: str, *command: str, timeout: float = 20) -> str:
        """See `Injector`."""
        raise self._impossible(" ".join(command), machine)

    def heal(self) -> None:
        """See `Injector`. Instances that their groups have not replaced yet are started again."""
        with _explained(f"undo what was done to {self._cluster}"):
            aws_cut.heal(self._ec2, self._cluster)
            self._start_again()

    def _stop(self, machine: str, *, at_once: bool) -> None:
        if machine not in self._instances:
            raise InjectionError(f"{machine} of cluster {self._cluster} is none of {', '.join(self._instances)}.")
        instance = self._instances[machine]
        with _explained(f"stop {machine}"):
            self._ec2.create_tags(Resources=[instance], Tags=[{"Key": DRILL_TAG, "Value": self._cluster}])
            self._ec2.stop_instances(InstanceIds=[instance], SkipOsShutdown=at_once)

    def _start_again(self) -> None:
        until = time.monotonic() + STOP_SECONDS
        while harmed := self._described(**{f"tag:{DRILL_TAG}": self._cluster}):
            waiting = [instance["InstanceId"] for instance in harmed if not self._started(instance)]
            if waiting and time.monotonic() > until:
                raise InjectionError(f"neither ended nor started in {STOP_SECONDS:g} s: {', '.join(waiting)}")
            time.sleep(POLL_SECONDS if waiting else 0)

    def _started(self, instance: Mapping[str, Any]) -> bool:
        """Start an instance that was stopped, and take the mark off; not while it stops, or its group ends it."""
        identity = instance["InstanceId"]
        try:
            self._ec2.start_instances(InstanceIds=[identity])
        except ClientError as error:
            if error.response["Error"]["Code"] not in NOT_NOW:
                raise
            return False
        self._ec2.delete_tags(Resources=[identity], Tags=[{"Key": DRILL_TAG}])
        return True

    def _described(self, **more: str) -> list[dict[str, Any]]:
        """The cluster's machines that are not ended."""
        wanted = filters({f"tag:{CLUSTER_TAG}": self._cluster, **more})
        states = {"Name": "instance-state-name", "Values": list(THERE)}
        roles = {"Name": "tag-key", "Values": [ROLE_TAG]}
        with _explained(f"instances of {self._cluster}"):
            pages = self._ec2.get_paginator("describe_instances").paginate(Filters=[*wanted, states, roles])
            return [one for page in pages for reservation in page["Reservations"] for one in reservation["Instances"]]

    def _name(self, instance: Mapping[str, Any], named: Mapping[str, str]) -> str:
        address = node_address(instance["NetworkInterfaces"][0])
        own, node = tags(instance).get(MACHINE_TAG), named.get(address)
        if own and own in named.values() and node != own:
            raise InjectionError(f"Node {own} is not at {address} as {own} is: the kubeconfig is of another cluster.")
        if not (name := own or node):
            raise InjectionError(f"instance {instance['InstanceId']} has no name, and no Node is at {address}.")
        return name

    def _seen(self) -> str:
        pages = self._ec2.describe_instances(Filters=[{"Name": "tag-key", "Values": [CLUSTER_TAG]}])["Reservations"]
        found = {tags(instance)[CLUSTER_TAG] for one in pages for instance in one["Instances"]}
        return ", ".join(sorted(found)) or "none"

    def _impossible(self, what: str, machine: str) -> InjectionError:
        return InjectionError(f"{what}, on {machine}: EC2's API gives no hand inside machines")


def _machine(name: str, instance: Mapping[str, Any], carriers: str) -> Machine:
    role = tags(instance)[ROLE_TAG]
    address = node_address(instance["NetworkInterfaces"][0])
    return Machine(name, role, instance["Placement"]["AvailabilityZone"], address, member=role == carriers)


@contextmanager
def _explained(what: str) -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise InjectionError(f"{what}: {error}") from error
