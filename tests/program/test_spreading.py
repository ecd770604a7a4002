"""Add-ons that a cluster cannot do without stand in several zones, and are never all evicted at once."""

from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from cli import add_ons
from cli.refused import RefusedError
from components.clouds import OFFERS, Cloud, Management
from components.scenarios import Scenario
from components.spreading import ADD_ONS, manifests
from policy.properties import Properties
from policy.resource import Resource, Stack
from tests.policy.test_broken_programs import findings

MANAGED = [cloud for cloud, offered in OFFERS.items() if Management.MANAGED in offered]


def resource(manifest: dict[str, Any]) -> Resource:
    kind = f"kubernetes:{manifest['apiVersion']}:{manifest['kind']}"
    name = manifest["metadata"]["name"]
    return Resource(type=kind, name=name, urn=f"urn::{kind}::{name}", properties=Properties(manifest))


@pytest.mark.parametrize("cloud", MANAGED)
def test_every_add_on_keeps_off_zones_that_have_one_already(cloud: Cloud) -> None:
    deployments = [found for found in manifests(cloud, 3) if found["kind"] == "Deployment"]
    assert [found["metadata"]["name"] for found in deployments] == [add_on.name for add_on in ADD_ONS[cloud]]
    for found in deployments:
        pod = found["spec"]["template"]["spec"]
        (zone, host) = pod["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
        assert zone["podAffinityTerm"]["topologyKey"] == "topology.kubernetes.io/zone"
        assert zone["weight"] > host["weight"]
        assert pod["topologySpreadConstraints"][0]["whenUnsatisfiable"] == "ScheduleAnyway"


@pytest.mark.parametrize("cloud", MANAGED)
def test_no_add_on_gets_a_second_budget(cloud: Cloud) -> None:
    # With two budgets for a pod no eviction of it succeeds, so no node can be drained.
    budgets = {found["metadata"]["name"] for found in manifests(cloud, 3) if found["kind"] == "PodDisruptionBudget"}
    assert budgets == {add_on.name for add_on in ADD_ONS[cloud] if add_on.budget}


@pytest.mark.parametrize("cloud", MANAGED)
def test_what_is_applied_says_nothing_of_containers_and_replicas(cloud: Cloud) -> None:
    # They are the cloud's: its own controller would fight for them.
    for found in manifests(cloud, 3):
        if found["kind"] == "Deployment":
            assert set(found["spec"]) == {"template"}
            assert set(found["spec"]["template"]["spec"]) == {"affinity", "topologySpreadConstraints"}


def test_the_policies_find_nothing_in_them() -> None:
    stack = Stack([resource(found) for cloud in MANAGED for found in manifests(cloud, 3)])
    assert len(stack.resources) > 3
    assert findings(stack, Scenario.CRITICAL) == {}


@pytest.mark.parametrize("cloud", MANAGED)
def test_one_zone_needs_none(cloud: Cloud) -> None:
    assert manifests(cloud, 1) == []


def plane(**inputs: Any) -> Any:
    declared = [{"type": "kube-ha:gcp:ControlPlane", "inputs": inputs}] if inputs else []
    return SimpleNamespace(stack="prod-gke", resources=lambda: declared)


def test_they_are_printed_for_the_cluster_that_is_up(capsys: pytest.CaptureFixture[str]) -> None:
    zones = ["europe-west1-b", "europe-west1-c", "europe-west1-d"]
    assert add_ons.show(plane(controlPlane="managed", cloud="gcp", zones=zones)) == 0
    assert list(yaml.safe_load_all(capsys.readouterr().out)) == manifests(Cloud.GCP, 3)


def test_a_stack_without_such_a_cluster_is_refused() -> None:
    with pytest.raises(RefusedError, match="stack prod-gke is not up"):
        add_ons.show(plane())
    with pytest.raises(RefusedError, match="is self-managed"):
        add_ons.show(plane(controlPlane="self-managed", cloud="gcp", zones=[]))
