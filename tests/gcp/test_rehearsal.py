"""A rehearsal of GKE looks at what was made, not at what the program says that it wanted."""

from pathlib import Path
from typing import Any

import pytest

from rehearsal.gke import Gke
from rehearsal.scene import InspectionError
from tests.gcp.stacks import of
from tests.program.stacks import settings_of

STACK = "small-gke"
KINDS = ("container.Cluster", "container.NodePool", "monitoring.AlertPolicy", "kms.CryptoKey")


@pytest.fixture
def stage(tmp_path: Path) -> Gke:
    """A cloud that holds what matters of a stack."""
    made = Gke(tmp_path, settings_of(STACK))
    for kind in KINDS:
        for name, found in of(STACK, kind).items():
            made.ledger.add(f"{kind}/{name}", found.type, found.inputs)
    return made


def change(stage: Gke, kind: str, **changes: Any) -> None:
    """As if the cloud held something else."""
    (entry,) = (found for found in stage.ledger.entries() if found.type.endswith(f":{kind}"))
    stage.ledger.change(entry.identity, entry.type, {**entry.state, **changes})


def test_what_is_as_promised_is_said(stage: Gke) -> None:
    assert stage.inspect()[0] == "a regional cluster with nodes in 3 zone(s)"


@pytest.mark.parametrize(
    ("kind", "changes", "says"),
    [
        ("Cluster", {"location": "europe-west1-b"}, "the cluster is in europe-west1-b"),
        ("Cluster", {"privateClusterConfig": {"publicEndpoint": "203.0.113.10"}}, "the API has a public address"),
        ("Cluster", {"databaseEncryption": {"state": "DECRYPTED"}}, "secrets are not encrypted"),
        ("NodePool", {"nodeLocations": ["europe-west1-b"]}, "nodes in europe-west1-b"),
        ("NodePool", {"management": {"autoRepair": False, "autoUpgrade": True}}, "neither repaired nor upgraded"),
    ],
)
def test_what_is_not_as_promised_stops_the_rehearsal(stage: Gke, kind: str, changes: Any, says: str) -> None:
    change(stage, kind, **changes)
    with pytest.raises(InspectionError, match=says):
        stage.inspect()


def test_an_alarm_is_taken_away(stage: Gke) -> None:
    before = len(list(stage.ledger.entries(stage.alarms)))
    assert "AlertPolicy" in stage.take_away()
    assert len(list(stage.ledger.entries(stage.alarms))) == before - 1


def test_a_guarded_cluster_goes_by_hand_and_the_destroy_looks_first(stage: Gke) -> None:
    assert stage.unlock() == ("--refresh",)
    assert {found.type.rsplit(":", 1)[1] for found in stage.ledger.entries()} == {"AlertPolicy", "CryptoKey"}


def test_only_what_outlives_a_stack_may_be_left(stage: Gke) -> None:
    with pytest.raises(InspectionError, match=r"destroy left .*Cluster"):
        stage.left()
    for entry in list(stage.ledger.entries()):
        if not entry.type.endswith(":CryptoKey"):
            stage.ledger.remove(entry.identity, entry.type)
    assert stage.left() == "kept: 1 CryptoKey"
