"""What is kept beside the snapshots: keys that only their owner reads, and an inventory without a secret."""

import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from components.node.agent import cluster_inventory, recovery_keys
from components.node.agent.cloud import Instance
from components.node.agent.keepsakes import Keepsakes
from components.node.agent.kubectl import Kubectl
from components.node.agent.log import Log
from components.node.agent.step import Context, Paths
from components.node.machine import Peer, Role
from components.node.snapshots import SnapshotKeys
from providers.local import objects
from providers.local.objects import Bucket
from tests.agent.conftest import document
from tests.agent.processes import Processes
from tests.snapshots.bucket_cloud import BucketCloud
from tests.snapshots.conftest import DAY, PLAN

NOW = time.mktime((2026, 11, 22, 12, 0, 0, 0, 0, 0))
SECRETS = {name: json.dumps({"key": f"the {name}"}).encode() for name in recovery_keys.SECRETS}
KEYS = SnapshotKeys("u1")

CRD = {
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "a", "uid": "1", "resourceVersion": "9", "labels": {"b": "1", "a": "2"}},
    "spec": {"z": 1, "group": "g"},
    "status": {"conditions": []},
}
NODE = {"metadata": {"name": "master-1"}, "spec": {"podCIDR": "10.244.1.0/24"}}


class FakeKubectl(Kubectl):
    """Answers with lists."""

    def __init__(self, lists: dict[str, list[dict[str, Any]]]) -> None:
        self.lists = lists

    def get(self, *arguments: str) -> dict[str, Any] | None:
        return {"items": self.lists.get(arguments[0], [])}


@pytest.fixture
def context(tmp_path: Path) -> Context:
    instance = Instance("i-1", "masters", "master-1", "zone-1", "10.0.1.21", "t", "t")
    machine = document("master-1", (Peer(name="master-1", zone="z", address="10.0.1.21"),), role=Role.MASTER)
    return Context(
        machine=machine.model_copy(update={"snapshots": PLAN.model_copy(update={"locked": True})}),
        cloud=BucketCloud(instance, Bucket(tmp_path / "bucket"), dict(SECRETS)), instance=instance,
        log=Log(console=None), services=Processes(tmp_path / "log"), paths=Paths(tmp_path),
    )  # fmt: skip


def stored(context: Context, prefix: str) -> dict[str, bytes]:
    return {entry.key: context.cloud.get(entry.key)[0] for entry in context.cloud.list(prefix)}


def bucket(context: Context) -> Bucket:
    assert isinstance(context.cloud, BucketCloud)
    return context.cloud.bucket


def test_recovery_keys_are_stored_wrapped_once_a_month_and_locked(context: Context) -> None:
    now = time.time()
    assert recovery_keys.keep(context, now) is not None
    assert recovery_keys.keep(context, now) is None
    ((key, content),) = stored(context, KEYS.recovery).items()
    assert b"the kubernetes-ca" not in content
    assert b"the kubernetes-ca" in bytes(byte ^ 0xFF for byte in content.removeprefix(b"wrapped "))
    (entry,) = bucket(context).list(key)
    # For as long as the last snapshot of this month is kept.
    assert entry.retain_until >= now + 61 * DAY - 1
    recovery_keys.keep(context, now + 32 * DAY)
    assert len(stored(context, KEYS.recovery)) == 2


def test_another_version_of_the_keys_is_stored_beside_the_old_one(context: Context) -> None:
    recovery_keys.keep(context, NOW)
    context.cloud.secrets["encryption-at-rest"] = b'{"key": "another"}'  # type: ignore[attr-defined]
    assert recovery_keys.keep(context, NOW) is not None
    assert len(stored(context, KEYS.recovery)) == 2


@pytest.mark.parametrize("ahead", [-400 * DAY, 400 * DAY])
def test_a_master_whose_clock_is_wrong_dates_locks_and_deletes_nothing_by_it(
    context: Context, monkeypatch: pytest.MonkeyPatch, ahead: int
) -> None:
    monkeypatch.setattr(cluster_inventory, "local", lambda context: FakeKubectl({}))
    known = KEYS.inventory(cluster_inventory.day(NOW - DAY), "settings")
    context.cloud.put(known, b"yesterday's")
    monkeypatch.setattr(objects, "time", SimpleNamespace(time=lambda: NOW))
    monkeypatch.setattr(time, "time", lambda: NOW + ahead)
    Keepsakes().round(context)
    assert {known, KEYS.inventory(cluster_inventory.day(NOW), "settings")} <= stored(context, KEYS.inventories).keys()
    (keys,) = bucket(context).list(KEYS.recovery)
    assert keys.key.removeprefix(KEYS.recovery).startswith("2026-11/")
    assert keys.retain_until == NOW + 61 * DAY


def inventory(context: Context, monkeypatch: pytest.MonkeyPatch, crds: list[dict[str, Any]], now: float) -> bool:
    kubectl = FakeKubectl({"customresourcedefinitions": crds, "nodes": [NODE], "secrets": [{"secret": "never"}]})
    monkeypatch.setattr(cluster_inventory, "local", lambda context: kubectl)
    return cluster_inventory.keep(context, now)


def test_two_days_differ_only_where_somebody_changed_something(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    inventory(context, monkeypatch, [CRD], NOW)
    touched = {**CRD, "metadata": {**CRD["metadata"], "resourceVersion": "10", "generation": 2}, "status": {"x": 1}}  # type: ignore[dict-item]
    inventory(context, monkeypatch, [touched], NOW + DAY)
    inventory(context, monkeypatch, [{**CRD, "spec": {"z": 2, "group": "g"}}], NOW + 2 * DAY)
    days = [
        {key.rpartition("/")[2]: content for key, content in stored(context, f"{KEYS.inventories}{day}/").items()}
        for day in ("2026-11-22", "2026-11-23", "2026-11-24")
    ]
    assert days[0] == days[1]
    assert {file for file in days[0] if days[0][file] != days[2][file]} == {"customresourcedefinitions.yaml"}
    assert {"storageclasses.yaml", "network.yaml", "settings.yaml"} < days[0].keys()


def test_an_inventory_holds_no_secret_and_says_how_the_network_is_set(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    inventory(context, monkeypatch, [CRD], NOW)
    files = stored(context, KEYS.inventories)
    assert not any(b"never" in content or b"the " in content for content in files.values())
    network = json.loads(files[KEYS.inventory("2026-11-22", "network")])
    assert network["plugin"]["master-1"]["plugins"][0]["ipam"]["ranges"] == [[{"subnet": "10.244.1.0/24"}]]
    settings = json.loads(files[KEYS.inventory("2026-11-22", "settings")])
    assert settings["kubernetes"]["version"] == "v1.37.2"
    assert "address" not in settings


def test_an_inventory_is_stored_once_a_day_and_kept_as_long_as_snapshots(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert inventory(context, monkeypatch, [CRD], NOW)
    assert not inventory(context, monkeypatch, [], NOW)
    assert inventory(context, monkeypatch, [CRD], NOW + 31 * DAY)
    days = {key.removeprefix(KEYS.inventories).split("/")[0] for key in stored(context, KEYS.inventories)}
    assert days == {"2026-12-23"}
