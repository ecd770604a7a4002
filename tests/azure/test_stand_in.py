"""The stand-in says no where the models of Azure's own libraries do, in the words of the program."""

import copy
import subprocess
from pathlib import Path
from typing import Any

import pytest

from providers.stand_in import UNKNOWN
from rehearsal import environment
from rehearsal.project import Project
from tests.azure.stacks import asked, cluster, covered
from tests.rehearsal import previewing

CLUSTER = "azure-native:containerservice:ManagedCluster"

ENUMS = (
    "sku.name",
    "sku.tier",
    "supportPlan",
    "autoUpgradeProfile.upgradeChannel",
    "autoUpgradeProfile.nodeOSUpgradeChannel",
    "identity.type",
    "networkProfile.networkPlugin",
    "networkProfile.networkPluginMode",
    "networkProfile.networkDataplane",
    "networkProfile.networkPolicy",
    "networkProfile.loadBalancerSku",
    "networkProfile.outboundType",
    "securityProfile.azureKeyVaultKms.keyVaultNetworkAccess",
    "agentPoolProfiles.0.mode",
    "agentPoolProfiles.0.osType",
    "agentPoolProfiles.0.osSKU",
    "agentPoolProfiles.0.type",
    "agentPoolProfiles.0.upgradeSettings.undrainableNodeBehavior",
)
"""Where the flagship's cluster says something of which Azure publishes the choices."""


def named(kind: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """Inputs with the name that the stand-in would give."""
    last = covered()[kind].named
    return {**({last: "named"} if last else {}), **copy.deepcopy(inputs)}


def refused(**changes: Any) -> list[str]:
    """What is wrong with the flagship's cluster once it is changed at some places (`sku__tier`)."""
    inputs = named(CLUSTER, cluster("prod-aks"))
    for path, value in changes.items():
        node, last = parent(inputs, path.replace("__", "."))
        node[last] = value
    return [f"{found.path}: {found.reason}" for found in covered()[CLUSTER].check(inputs)]


def parent(inputs: Any, path: str) -> tuple[Any, Any]:
    """The group that has a property, and its key there."""
    *above, last = (int(part) if part.isdigit() else part for part in path.split("."))
    node = inputs
    for part in above:
        node = node[part]
    return node, last


@pytest.mark.parametrize("path", ENUMS)
def test_one_letter_too_many_in_any_enum_of_the_cluster_is_refused(path: str) -> None:
    node, last = parent(cluster("prod-aks"), path)
    (said,) = refused(**{path.replace(".", "__"): f"{node[last]}x"})
    assert f"got '{node[last]}x'; accepted: " in said
    assert node[last] in said


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"highlyAvailable": "very"}, "highlyAvailable: no such property; accepted: "),
        ({"networkProfile__plugin": "azure"}, "networkProfile.plugin: no such property"),
        ({"provisioningState": "Succeeded"}, "provisioningState: read-only: Azure sets it"),
        ({"enableRBAC": "yes"}, "enableRBAC: got 'yes'; it takes true or false"),
        ({"agentPoolProfiles": {}}, "agentPoolProfiles: got {}; it takes a list"),
        ({"agentPoolProfiles__0__count": "three"}, "agentPoolProfiles[0].count: got 'three'; it takes a number"),
        ({"agentPoolProfiles__0__count": 1.5}, "agentPoolProfiles[0].count: got 1.5; a whole number"),
        ({"tags": "team"}, "tags: got 'team'; it takes a mapping"),
        ({"dnsPrefix": 7}, "dnsPrefix: got 7; it takes text"),
    ],
)
def test_what_azure_would_refuse_is_named_as_the_program_spells_it(changes: dict[str, Any], says: str) -> None:
    (said,) = refused(**changes)
    assert said.startswith(says)


def test_what_azure_needs_and_does_not_get_is_named() -> None:
    inputs = named(CLUSTER, cluster("prod-aks"))
    del inputs["location"]
    assert [found.reason for found in covered()[CLUSTER].check(inputs)] == ["location is required"]


def test_what_is_not_known_yet_is_not_judged() -> None:
    for one in asked("prod-aks"):
        token = f"azure-native:{one.type}"
        inputs = named(token, one.inputs)
        unknown = {name: UNKNOWN if isinstance(value, str) else value for name, value in inputs.items()}
        assert list(covered()[token].check(unknown)) == [], one.name


def test_a_type_says_what_it_is_held_against() -> None:
    assert [token for token, kind in covered().items() if "azure-mgmt-" not in kind.checked_against] == []


@pytest.fixture
def flagship(tmp_path: Path) -> Project:
    return previewing.project(tmp_path, "prod-aks")


def preview(project: Project) -> subprocess.CompletedProcess[str]:
    return previewing.preview(project, environment.whole(project.home, project.state, {}))


@pytest.mark.engine
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_preview_knows_no_identity_and_goes_through(flagship: Project) -> None:
    shown = preview(flagship)
    assert shown.returncode == 0, shown.stdout + shown.stderr


@pytest.mark.engine
@pytest.mark.timeout(300)
def test_a_typo_in_one_enum_of_the_program_is_refused_in_its_preview(flagship: Project) -> None:
    program = flagship.program / "components/azure/cluster.py"
    program.write_text(program.read_text().replace('load_balancer_sku="standard"', 'load_balancer_sku="standart"'))
    shown = preview(flagship)
    said = " ".join((shown.stdout + shown.stderr).split())
    assert shown.returncode != 0
    assert "got 'standart'; accepted: " in said
