"""Every local stack of the repository, built without an engine."""

import json
from typing import Any

import pytest
import yaml

from tests.planes import built
from tests.program.recorder import Registration
from tests.program.stacks import NAMES, settings_of

LOCAL = [name for name in NAMES if name.startswith("local")]


def of(stack: str, kind: str) -> dict[str, Registration]:
    return {found.name: found for found in built(stack) if found.type == f"local:index:{kind}"}


def documents(stack: str) -> dict[str, dict[str, Any]]:
    """Group → the machine document in its user data."""
    found = {}
    for name, group in of(stack, "MachineGroup").items():
        files = yaml.safe_load(group.inputs["userData"])["write_files"]
        found[name] = json.loads(next(file["content"] for file in files if file["path"].endswith("machine.json")))
    return found


@pytest.mark.parametrize("stack", LOCAL)
def test_machines_are_those_of_the_topology(stack: str) -> None:
    topology = settings_of(stack).topology
    machines = {slot["machine"] for group in of(stack, "MachineGroup").values() for slot in group.inputs["slots"]}
    balancers = {"balancer-1", "balancer-2"} if topology.load_balancer else set()
    masters, members = {m.name for m in topology.masters}, {m.name for m in topology.members}
    assert machines == masters | members | balancers


@pytest.mark.parametrize("stack", LOCAL)
def test_every_member_has_a_protected_volume_in_its_zone(stack: str) -> None:
    volumes = of(stack, "Volume")
    members = settings_of(stack).topology.members
    assert {name: volume.inputs["zone"] for name, volume in volumes.items()} == {m.name: m.zone for m in members}
    assert all(volume.protect for volume in volumes.values())


@pytest.mark.parametrize("stack", LOCAL)
def test_the_bucket_is_protected(stack: str) -> None:
    assert [bucket.protect for bucket in of(stack, "Bucket").values()] == [True]


@pytest.mark.parametrize("stack", LOCAL)
def test_an_old_agent_can_be_removed_from_the_protected_bucket(stack: str) -> None:
    assert not any(found.protect for found in of(stack, "BucketObject").values())


@pytest.mark.parametrize("stack", LOCAL)
def test_no_machine_boots_before_what_it_fetches_is_there_nor_outlives_it(stack: str) -> None:
    objects = set(of(stack, "BucketObject"))
    assert objects
    for group in of(stack, "MachineGroup").values():
        assert objects <= {urn.split("::")[-1] for urn in group.dependencies}


@pytest.mark.parametrize("stack", LOCAL)
def test_a_destroy_begins_with_something_protected_that_no_machine_needs(stack: str) -> None:
    waits = of(stack, "Readiness")
    assert [wait.protect for wait in waits.values()] == [True]
    waited_for = {urn for found in built(stack) for urn in found.dependencies}
    assert not any(urn.endswith(f"Readiness::{name}") for urn in waited_for for name in waits)


@pytest.mark.parametrize("stack", LOCAL)
def test_no_address_is_given_twice(stack: str) -> None:
    slots = [slot for group in of(stack, "MachineGroup").values() for slot in group.inputs["slots"]]
    addresses = [slot["address"] for slot in slots]
    assert len(set(addresses)) == len(addresses)


@pytest.mark.parametrize("stack", LOCAL)
def test_user_data_carries_no_secret_and_fits_a_clouds_limit(stack: str) -> None:
    for group in of(stack, "MachineGroup").values():
        assert "PRIVATE" not in group.inputs["userData"]
        assert len(group.inputs["userData"].encode()) < 16 * 1024


@pytest.mark.parametrize("stack", LOCAL)
def test_a_child_has_its_component_as_parent(stack: str) -> None:
    for found in built(stack):
        if found.type.startswith(("local:", "tls:", "random:")):
            assert "kube-ha:" in found.parent, found.name


def test_balancers_stand_in_two_zones() -> None:
    slots = of("local", "MachineGroup")["local-balancers"].inputs["slots"]
    assert len({slot["zone"] for slot in slots}) == 2
    assert all(slot["edge"] for slot in slots)


def test_masters_of_critical_are_one_group_without_volumes() -> None:
    slots = of("local-critical", "MachineGroup")["local-critical-masters"].inputs["slots"]
    assert len({slot["zone"] for slot in slots}) == 3
    assert not any(slot.get("volume") for slot in slots)


def test_a_master_of_critical_cannot_make_itself_a_member() -> None:
    readers = {s.inputs["name"]: s.inputs["readers"] for s in of("local-critical", "Secret").values()}
    assert readers["etcd-peer-ca"] == ["member"]
    assert readers["kubernetes-ca"] == ["master"]


def test_balancers_read_no_secret() -> None:
    for stack in LOCAL:
        assert not any("balancer" in secret.inputs["readers"] for secret in of(stack, "Secret").values())


def test_the_endpoint_is_the_virtual_address_or_the_only_master() -> None:
    assert documents("local")["local-master-1"]["kubernetes"]["endpoint"] == "10.77.0.10:6443"
    assert documents("local-development")["local-development-master-1"]["kubernetes"]["endpoint"] == "10.78.1.21:6443"


def test_readiness_waits_for_every_machine() -> None:
    (readiness,) = of("local-critical", "Readiness").values()
    assert len(readiness.inputs["machines"]) == 3 + 5 + 2
    assert set(readiness.inputs["templates"]) == set(of("local-critical", "MachineGroup"))
