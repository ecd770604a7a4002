"""Every control plane of the repository, self-managed or managed, in every cloud: the same shape from outside."""

import subprocess
import sys
from typing import get_args

import pytest

from components import control_plane
from components.clouds import Cloud
from tests.planes import MANAGED, built
from tests.program.recorder import Registration
from tests.program.stacks import NAMES, settings_of

SDKS = {Cloud.LOCAL: None, Cloud.AWS: "pulumi_aws", Cloud.AZURE: "pulumi_azure_native", Cloud.GCP: "pulumi_gcp"}

PROGRAMS = {
    cloud: {
        f"components.{cloud}.{found.control_plane.module}" for found in map(settings_of, NAMES) if found.cloud == cloud
    }
    for cloud in Cloud
}
"""Cloud → the modules of its control planes."""


def plane(stack: str) -> Registration:
    (found,) = (one for one in built(stack) if one.type.endswith(":ControlPlane"))
    return found


@pytest.mark.parametrize("stack", NAMES)
def test_outputs_are_those_of_the_contract_in_name_and_type(stack: str) -> None:
    given = plane(stack).outputs
    assert set(given) == set(control_plane.OUTPUTS)
    for name, hint in control_plane.ControlPlane.__annotations__.items():
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


@pytest.mark.parametrize("cloud", Cloud)
def test_a_program_of_one_cloud_never_imports_anothers_sdk(cloud: Cloud) -> None:
    script = f"import sys, components.control_plane, {', '.join(PROGRAMS[cloud])}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120
    ).stdout.split()
    assert {sdk for other, sdk in SDKS.items() if sdk and other is not cloud}.isdisjoint(loaded)
    own = SDKS[cloud]
    assert own is None or own in loaded
