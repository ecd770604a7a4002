"""GKE, on the stand-in that holds every request against Google's discovery documents."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from components.clouds import Cloud
from components.managed import PLANES
from components.scenarios import Scenario
from components.settings import Settings
from providers.gcp.package import KINDS
from rehearsal.project import Project
from rehearsal.published_scene import PublishedScene
from rehearsal.scene import InspectionError

PROJECT: Final = "kube-ha-rehearsal"
CLUSTER: Final = "gcp:container/cluster:Cluster"
POOL: Final = "gcp:container/nodePool:NodePool"

OFFICE: Final = "192.0.2.0/24"


@contextmanager
def scene(project: Project, settings: Settings) -> Iterator["Gke"]:
    """An empty project of Google Cloud."""
    yield Gke(project.folder / "ledger", settings)


class Gke(PublishedScene):
    """See `rehearsal.scene.Scene`."""

    changes: Mapping[str, Any] = {"nodes": {"perZone": 2}, "loadBalancer": {"cidrs": [OFFICE]}}
    kept = (":Cluster", ":NodePool", ":CryptoKey", ":BackupPlan")
    kinds = KINDS
    alarms = "gcp:monitoring/alertPolicy:AlertPolicy"
    outliving = (":KeyRing", ":CryptoKey", ":CryptoKeyIAMMember", ":BackupPlan")

    def __init__(self, folder: Path, settings: Settings) -> None:
        super().__init__(folder, {"GOOGLE_PROJECT": PROJECT})
        self.settings = settings

    def inspect(self) -> list[str]:
        (cluster,) = (entry.state for entry in self.ledger.entries(CLUSTER))
        pools = [entry.state for entry in self.ledger.entries(POOL)]
        wrong = [*self.wrong_of_cluster(cluster), *self.wrong_of_pools(pools)]
        if wrong:
            raise InspectionError("\n".join(wrong))
        zones = len(self.settings.topology.zones)
        return [
            f"a {PLANES[Cloud.GCP][self.settings.scenario].tier} cluster with nodes in {zones} zone(s)",
            "its API has a private address only",
            "secrets encrypted under the stack's key",
        ]

    def wrong_of_cluster(self, cluster: Mapping[str, Any]) -> Iterator[str]:
        regional = self.settings.scenario is not Scenario.DEVELOPMENT
        if (cluster["location"] == self.settings.region) is not regional:
            yield f"the cluster is in {cluster['location']}"
        if cluster["privateClusterConfig"]["publicEndpoint"]:
            yield "the API has a public address"
        if cluster["databaseEncryption"]["state"] != "ENCRYPTED":
            yield "secrets are not encrypted"

    def wrong_of_pools(self, pools: Sequence[Mapping[str, Any]]) -> Iterator[str]:
        for pool in pools:
            if set(pool["nodeLocations"]) != set(self.settings.topology.zones):
                yield f"{pool['name']}: nodes in {', '.join(pool['nodeLocations'])}"
            if not all(pool["management"].values()):
                yield f"{pool['name']}: neither repaired nor upgraded"

    def unlock(self) -> Sequence[str]:
        """A cluster that is guarded is deleted by hand, and its nodes go with it; the destroy then looks first."""
        for entry in [*self.ledger.entries(CLUSTER), *self.ledger.entries(POOL)]:
            self.ledger.remove(entry.identity, entry.type)
        return ("--refresh",)
