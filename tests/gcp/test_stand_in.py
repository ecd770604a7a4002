"""The stand-in says no where Google's own discovery documents do, to each property of each resource of the program."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from providers.gcp import discovery
from providers.gcp.discovery import Method
from providers.gcp.package import KINDS, refers_to
from providers.gcp.request import Form, To, by_name
from providers.published import Problem
from providers.stand_in import UNKNOWN, auto_name
from tests.gcp.stacks import NAMES, asked

CLUSTER = "gcp:container/cluster:Cluster"


def resources(stack: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Type, name and inputs of each resource, with the name among them that the stand-in would give it."""
    for kind, name, inputs in asked(stack):
        copied: dict[str, Any] = json.loads(json.dumps(inputs))
        yield kind, name, {"name": name, **copied} if KINDS[kind].named else copied


def flagship() -> dict[str, Any]:
    """The inputs of the flagship's cluster."""
    (inputs,) = (inputs for kind, _, inputs in resources("prod-gke") if kind == CLUSTER)
    return inputs


def problems(kind: str, inputs: dict[str, Any]) -> list[Problem]:
    return list(KINDS[kind].check(inputs))


def cluster(**changes: Any) -> list[str]:
    """What is wrong with the flagship's cluster once it is changed at some places."""
    inputs = flagship()
    for path, value in changes.items():
        node: Any = inputs
        *above, last = path.split("__")
        for part in above:
            node = node[part]
        node[last] = value
    return [f"{found.path}: {found.reason}" for found in problems(CLUSTER, inputs)]


@pytest.mark.parametrize("stack", NAMES)
def test_google_would_take_what_the_program_asks_for(stack: str) -> None:
    assert {name: wrong for kind, name, inputs in resources(stack) if (wrong := problems(kind, inputs))} == {}


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Every text in a value, with its place."""
    match value:
        case dict():
            for name, item in value.items():
                yield from leaves(item, (*path, name))
        case list():
            for number, item in enumerate(value):
                yield from leaves(item, (*path, number))
        case str():
            yield path, value


def with_leaf(inputs: dict[str, Any], path: tuple[Any, ...], value: str) -> dict[str, Any]:
    changed = json.loads(json.dumps(inputs))
    node = changed
    for part in path[:-1]:
        node = node[part]
    node[path[-1]] = value
    return dict(changed)


@cache
def misspelt() -> list[tuple[str, str, str]]:
    """Each text of the flagship in capitals, as enums are, with a letter too many: type, place, and what is said."""
    found = []
    for kind, _, inputs in resources("prod-gke"):
        for path, text in leaves(inputs):
            if text.isupper() and text.replace("_", "").isalnum():
                wrong = problems(kind, with_leaf(inputs, path, f"{text}X"))
                found.append((kind, ".".join(map(str, path)), "; ".join(problem.reason for problem in wrong)))
    return found


def test_one_letter_too_many_in_any_enum_of_the_program_is_refused() -> None:
    texts = misspelt()
    assert len(texts) > 40
    silent = [(kind, path) for kind, path, said in texts if not said]
    assert silent == []


def test_a_property_that_does_not_exist_is_refused() -> None:
    for kind, name, inputs in resources("prod-gke"):
        found = problems(kind, {**inputs, "highlyAvailable": "very"})
        assert any(problem.path == "highlyAvailable" for problem in found), name


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"releaseChannel__channel": "REGULER"}, "releaseChannel.channel: got 'REGULER'; accepted: UNSPECIFIED, RAPID"),
        ({"loggingConfig__enableComponents": ["API_SERVER"]}, "loggingConfig.enableComponents.0: got 'API_SERVER'"),
        ({"datapathProvider": "ADVANCED"}, "datapathProvider: got 'ADVANCED'; accepted: DATAPATH_PROVIDER_UNSPECIFIED"),
        ({"networkingMode": "VPC"}, "networkingMode: got 'VPC'; accepted: true, false"),
        ({"enableShieldedNodes": "yes"}, "enableShieldedNodes: got 'yes'; accepted: true, false"),
        ({"initialNodeCount": "one"}, "initialNodeCount: got 'one'; a whole number"),
        ({"currentMasterVersion": "1.36"}, "currentMasterVersion: the cloud sets it; leave it out"),
        ({"privateClusterConfig__peeringName": "p"}, "privateClusterConfig.peeringName: the cloud sets it"),
        ({"nodeLocations": "europe-west1-b"}, "nodeLocations: got 'europe-west1-b'; a list is needed"),
        (
            {"maintenancePolicy__recurringWindow__startTime": "Saturday"},
            "maintenancePolicy.recurringWindow.startTime: got 'Saturday'; it is no google-datetime",
        ),
        (
            {"maintenancePolicy__disruptionBudget__minorVersionDisruptionInterval": "30d"},
            "minorVersionDisruptionInterval: got '30d'; it is no google-duration",
        ),
        (
            {"nodePoolDefaults__nodeConfigDefaults__insecureKubeletReadonlyPortEnabled": "NO"},
            "insecureKubeletReadonlyPortEnabled: got 'NO'; accepted: true, false",
        ),
        ({"locations": ["europe-west1-b"]}, "locations: the API's name; the provider's is nodeLocations"),
        ({"maintenancePolicy__window": {}}, "maintenancePolicy.window: the API's name; the provider's is maintenance"),
        ({"resourceLabels__team": 7}, "resourceLabels.team: got 7; a string is needed"),
    ],
)
def test_what_google_would_refuse_of_a_cluster_is_named_as_the_program_spells_it(
    changes: dict[str, Any], says: str
) -> None:
    (said,) = cluster(**changes)
    assert says in said


def test_an_exclusion_is_checked_under_its_own_name() -> None:
    found = flagship()["maintenancePolicy"]
    exclusions = found["maintenanceExclusions"]
    exclusions[0]["exclusionOptions"]["scope"] = "NOTHING"
    (said,) = cluster(maintenancePolicy__maintenanceExclusions=exclusions)
    assert "maintenanceExclusions.minor-upgrades-by-hand.maintenanceExclusionOptions.scope: got 'NOTHING'" in said


@pytest.mark.parametrize(
    ("kind", "inputs", "path", "says"),
    [
        ("compute/network:Network", {"name": "Not_A_Name"}, "name", "does not match"),
        ("compute/router:Router", {"name": "r", "region": "r"}, "network", "missing; Router needs it"),
        ("gkebackup/backupPlan:BackupPlan", {"name": "b", "location": "l"}, "cluster", "missing"),
        ("kms/cryptoKey:CryptoKey", {"name": "k", "keyRing": "ring"}, "parent", "does not match"),
        ("monitoring/alertPolicy:AlertPolicy", {"conditions": [{"conditionThreshold": {"filter": "f"}}]},
         "conditions.0.conditionThreshold.duration", "missing"),
        ("kms/cryptoKeyIAMMember:CryptoKeyIAMMember", {"role": 1, "member": "m", "cryptoKeyId": UNKNOWN},
         "role", "a string is needed"),
        ("compute/subnetwork:Subnetwork", {"name": "s", "region": "r", "logConfig": {"metadata": "ALL"}},
         "logConfig.metadata", "accepted: CUSTOM_METADATA"),
    ],
)  # fmt: skip
def test_what_google_would_refuse_elsewhere_is_refused(kind: str, inputs: Any, path: str, says: str) -> None:
    found = {problem.path: problem.reason for problem in problems(f"gcp:{kind}", inputs)}
    assert says in found[path]


def test_what_is_not_known_yet_is_not_judged() -> None:
    for kind, name, inputs in resources("prod-gke"):
        assert problems(kind, dict.fromkeys(inputs, UNKNOWN)) == [], name


def test_a_mapping_moves_renames_converts_and_remembers_where_a_value_came_from() -> None:
    form = Form(
        method=Method("container.v1", "projects.locations.clusters.create"),
        within="cluster",
        mapping={
            "a": To("networkConfig.datapathProvider"),
            "b": To("maintenancePolicy.window.maintenanceExclusions", by_name("name")),
        },
    )
    found = list(form.problems({"a": "X", "b": [{"name": "n", "startTime": "X"}], "project": "p"}, {}))
    paths = {problem.path for problem in found}
    assert paths == {"a", "b.n.startTime", "project", "parent"}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_type_says_what_it_is_held_against(kind: str) -> None:
    assert "discovery document of 20" in KINDS[kind].checked_against


@pytest.mark.parametrize(
    ("text", "identity"),
    [
        ("projects/p/global/networks/n", "projects/p/global/networks/n"),
        ("https://www.googleapis.com/compute/v1/projects/p/global/networks/n", "projects/p/global/networks/n"),
        ("projects/p/topics/t", "projects/p/topics/t"),
        ("p.svc.id.goog", None),
        ("projects/p", None),
        ("a text about projects/p/topics/t", None),
    ],
)
def test_names_of_resources_are_known_from_other_texts(text: str, identity: str | None) -> None:
    assert refers_to(text) == identity


def test_two_names_are_not_the_same_and_end_as_the_providers_do() -> None:
    first, second = auto_name("n"), auto_name("n")
    assert first != second
    assert len(first) == len("n-1234567")


def test_a_method_that_a_document_lacks_is_an_error_of_ours() -> None:
    with pytest.raises(KeyError):
        discovery.described(Method("container.v1", "projects.locations.clusters.enlarge"))
