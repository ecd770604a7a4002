"""Every control plane of the repository, self-managed or managed, in every cloud: the same shape from outside."""

import subprocess
import sys
from typing import get_args, get_type_hints

import pytest

from components import outputs
from components.clouds import Cloud
from tests.planes import MANAGED, NAMES, built, settings_of
from tests.program.recorder import Registration

SDKS = {Cloud.LOCAL: None, Cloud.AWS: "pulumi_aws", Cloud.AZURE: "pulumi_azure_native", Cloud.GCP: "pulumi_gcp"}

ONE_OF_EACH = tuple({(settings_of(name).cloud, settings_of(name).control_plane): name for name in NAMES}.values())
"""A stack of each kind of control plane."""


def plane(stack: str) -> Registration:
    (found,) = (one for one in built(stack) if one.type.endswith(":ControlPlane"))
    return found


@pytest.mark.parametrize("stack", NAMES)
def test_outputs_are_those_of_the_contract_in_name_and_type(stack: str) -> None:
    given = plane(stack).outputs
    assert set(given) == set(outputs.OUTPUTS)
    for name, hint in get_type_hints(outputs.ControlPlane).items():
        (kind,) = get_args(hint)
        value = given[name]
        if kind is str:
            assert isinstance(value, str), name
            assert value, name
        else:
            assert isinstance(value, list), name
            assert all(isinstance(item, str) for item in value), name
    assert given["endpoint"].startswith("https://")


@pytest.mark.parametrize("stack", NAMES)
def test_the_kubeconfig_is_secret_and_nothing_else_has_to_be(stack: str) -> None:
    assert plane(stack).secret_outputs == {"kubeconfig"}


@pytest.mark.parametrize("stack", MANAGED)
def test_a_managed_plane_has_no_machines_of_ours_and_says_what_the_cloud_promises(stack: str) -> None:
    settings = settings_of(stack)
    declared, given = plane(stack).inputs, plane(stack).outputs
    assert (given["masters"], given["members"]) == ([], [])
    assert given["zones"] == list(settings.topology.zones)
    assert declared["controlPlane"] == "managed"
    assert declared["endpoint"] == {"public": False, "cidrs": []}
    assert {"etcd", "snapshots", "loadBalancer", "shutdownDelaySeconds"}.isdisjoint(declared)


@pytest.mark.parametrize("cloud", [Cloud.AWS, Cloud.AZURE, Cloud.GCP])
def test_every_cloud_has_a_managed_stack_for_every_scenario(cloud: Cloud) -> None:
    scenarios = [settings_of(name).scenario for name in MANAGED if settings_of(name).cloud is cloud]
    assert sorted(scenarios) == ["critical", "development", "production"]


@pytest.mark.parametrize("stack", ONE_OF_EACH)
def test_a_program_of_one_cloud_never_imports_anothers_sdk(stack: str) -> None:
    settings = settings_of(stack)
    module = f"components.{settings.cloud}.{settings.control_plane.module}"
    script = f"import sys, components.settings, components.outputs, {module}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120
    ).stdout.split()
    foreign = {sdk for cloud, sdk in SDKS.items() if sdk and cloud is not settings.cloud}
    assert foreign.isdisjoint(loaded)
    own = SDKS[settings.cloud]
    assert own is None or own in loaded
