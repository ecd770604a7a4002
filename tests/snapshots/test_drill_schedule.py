"""Which master drills which snapshot, and when."""

import time
from pathlib import Path

import pytest

from components.node.agent import restore_drill
from components.node.agent.background import Background
from components.node.agent.cloud import Instance
from components.node.agent.log import Log
from components.node.agent.restore_drill import RestoreDrill
from components.node.agent.step import Context, NotYetError, Paths
from components.node.lock import ClusterLock
from components.node.machine import Peer, Role
from components.node.snapshots import Proof, Request, RequestKind, Response, Snapshot, SnapshotKeys
from providers.local.objects import Bucket
from tests.agent.conftest import document
from tests.agent.processes import Processes
from tests.snapshots.bucket_cloud import BucketCloud

KEYS = SnapshotKeys("u1")
HOUR, DAY = 3600, 86400


@pytest.fixture
def context(tmp_path: Path) -> Context:
    instance = Instance("i-1", "masters", "master-1", "zone-1", "10.0.1.21", "t", "t")
    return Context(
        machine=document("master-1", (Peer(name="master-1", zone="z", address="10.0.1.21"),), role=Role.MASTER),
        cloud=BucketCloud(instance, Bucket(tmp_path / "bucket"), {}), instance=instance,
        log=Log(console=None), services=Processes(tmp_path / "log"), paths=Paths(tmp_path),
    )  # fmt: skip


@pytest.fixture
def drilled(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """What was drilled."""
    names: list[str | None] = []

    def drill(context: Context, name: str | None) -> str:
        names.append(name)
        return name or "the newest"

    monkeypatch.setattr(restore_drill, "drill", drill)
    return names


def store(context: Context, age: float, proof: tuple[float, bool] | None = None) -> str:
    one = Snapshot(int(time.time() - age), 1)
    for key in (KEYS.database, KEYS.metadata):
        context.cloud.put(key(one.name), b"{}")
    if proof is not None:
        found = Proof(time=time.time() - proof[0], machine="m", proven=proof[1], message="a page", seconds=1)
        context.cloud.put(KEYS.proof(one.name), found.encode())
    return one.name


@pytest.mark.parametrize(
    ("age", "proof", "is_due"),
    [
        (HOUR - 60, None, False),
        (HOUR + 60, None, True),
        (2 * DAY, (DAY - 60, True), False),
        (2 * DAY, (DAY + 60, True), True),
        (2 * DAY, (HOUR - 60, False), False),
        (2 * DAY, (HOUR + 60, False), True),
    ],
    ids=["young", "first", "proven today", "proven yesterday", "bad just now", "bad an hour ago"],
)
def test_the_newest_is_drilled_daily_and_hourly_while_it_is_not_good(
    context: Context, drilled: list[str | None], age: float, proof: tuple[float, bool] | None, is_due: bool
) -> None:
    store(context, age, proof)
    RestoreDrill().round(context)
    assert drilled == ([None] if is_due else [])


def test_what_another_master_found_is_told_by_all(context: Context, drilled: list[str | None]) -> None:
    store(context, HOUR, (60, False))
    RestoreDrill().round(context)
    assert "kube_ha_restore_drill_proven 0" in context.metrics.render()
    assert "is not good: a page" in context.concerns["proof"]


def test_a_request_names_the_snapshot_and_is_answered(context: Context, drilled: list[str | None]) -> None:
    name = store(context, 60)
    context.cloud.put(KEYS.request(RequestKind.DRILL), Request(id="r", snapshot=name).encode())
    step = RestoreDrill()
    step.round(context)
    step.round(context)
    assert drilled == [name]
    answer = Response.model_validate_json(context.cloud.get(KEYS.response(RequestKind.DRILL))[0])
    assert (answer.id, answer.snapshot, answer.error) == ("r", name, None)


def test_two_masters_do_not_drill_at_once(context: Context, drilled: list[str | None]) -> None:
    store(context, 2 * DAY)
    ClusterLock(context.cloud, KEYS.drill_lock, "master-2").acquire("restore drill", 3600)
    RestoreDrill().round(context)
    assert drilled == []


def test_a_machine_that_cannot_drill_says_so_and_leaves_no_verdict(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot(context: Context, name: str | None) -> str:
        raise NotYetError("the API server of this master does not run")

    monkeypatch.setattr(restore_drill, "drill", cannot)
    name = store(context, 2 * DAY)
    step = RestoreDrill()
    assert not Background(context, "restore-drill", lambda: step.round(context), 1).once()
    assert "does not run" in context.concerns["restore-drill"]
    assert not context.cloud.list(KEYS.proof(name))
