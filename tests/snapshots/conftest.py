"""Three members with real etcd and an object store that knows dates and locks."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from components.node.agent import snapshots
from components.node.agent.cloud import Instance
from components.node.agent.member import cluster
from components.node.agent.snapshots import Snapshots as SnapshotStep
from components.node.agent.step import Context
from components.node.etcd import client_url
from components.node.machine import Retention, Snapshots
from providers.local.objects import Bucket
from tests.agent.conftest import World
from tests.agent.processes import eventually
from tests.snapshots.bucket_cloud import BucketCloud

HOUR, DAY = 3600, 86400
PLAN = Snapshots(
    interval_seconds=900,
    keep=(
        Retention(every_seconds=900, for_seconds=DAY),
        Retention(every_seconds=HOUR, for_seconds=7 * DAY),
        Retention(every_seconds=DAY, for_seconds=30 * DAY),
    ),
    locked=False,
)


class SnapshotWorld(World):
    """Machines that share a bucket."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.bucket = Bucket(folder / "bucket")
        self.plan = PLAN
        self.snapshots: dict[str, SnapshotStep] = {}

    def cloud(self, instance: Instance) -> BucketCloud:
        return BucketCloud(instance, self.bucket, self.secrets)

    def context(self, name: str, plan: Snapshots | None = None) -> Context:
        """A machine of the formed cluster, with its snapshot plan."""
        context = self.machines[name]
        context.machine = context.machine.model_copy(update={"snapshots": plan or self.plan})
        return context

    def round(self, name: str, plan: Snapshots | None = None) -> None:
        """One look of a member's snapshot step."""
        self.snapshots.setdefault(name, SnapshotStep()).round(self.context(name, plan))

    def store_of(self, name: str) -> BucketCloud:
        cloud = self.machines[name].cloud
        assert isinstance(cloud, BucketCloud)
        return cloud

    def clear(self) -> None:
        """Forget all snapshots, as a new cluster has none."""
        self.snapshots.clear()
        for entry in self.bucket.list("clusters/u1/"):
            if "/snapshots/" in entry.key or "/requests/" in entry.key:
                self.bucket.delete(entry.key, force=True)


@pytest.fixture(scope="module")
def formed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SnapshotWorld]:
    made = SnapshotWorld(tmp_path_factory.mktemp("world"))
    made.form()
    for member in made.members:
        eventually(partial(made.healthy, member.name), 30, f"{member.name} is healthy")
    endpoint = client_url(made.members[0].address)
    cluster(made.machines["member-1"]).etcdctl._run((endpoint,), "put", "k", "v", timeout=5)
    yield made
    made.end()


@pytest.fixture
def world(formed: SnapshotWorld, monkeypatch: pytest.MonkeyPatch) -> SnapshotWorld:
    """A healthy cluster without a snapshot, which takes its first one without delay."""
    monkeypatch.setattr(snapshots, "FIRST_ROUNDS", 0)
    formed.clear()
    for name in formed.machines:
        formed.store_of(name).down = formed.store_of(name).full = False
    return formed
