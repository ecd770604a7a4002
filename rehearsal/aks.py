"""AKS, on the stand-in that holds every request against the models of Azure's own libraries."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from components.azure.levers import LEVERS
from components.clouds import Cloud
from components.managed import PLANES
from components.settings import Settings
from providers.azure_native.package import package
from rehearsal.project import Project
from rehearsal.published_scene import PublishedScene
from rehearsal.scene import InspectionError

CLUSTER: Final = "azure-native:containerservice:ManagedCluster"
POOL: Final = "azure-native:containerservice:AgentPool"


@contextmanager
def scene(project: Project, settings: Settings) -> Iterator["Aks"]:
    """An empty subscription of Azure."""
    yield Aks(project.folder / "ledger", settings)


class Aks(PublishedScene):
    """See `rehearsal.scene.Scene`."""

    changes: Mapping[str, Any] = {"nodes": {"perZone": 2}, "tags": {"team": "platform"}}
    kept = (":ManagedCluster", ":AgentPool", ":Vault", ":Key", ":BackupVault", ":BackupInstance", ":StorageAccount")
    kinds = package("").kinds
    alarms = "azure-native:monitor:MetricAlert"
    outliving = (
        *(":Vault", ":Key", ":DiskEncryptionSet"),
        *(":ResourceGroup", ":StorageAccount", ":BlobServiceProperties", ":BlobContainer"),
        *(":BackupVault", ":BackupPolicy", ":BackupInstance"),
    )

    def __init__(self, folder: Path, settings: Settings) -> None:
        super().__init__(folder, {})
        self.settings = settings
        self.levers = LEVERS[settings.scenario]

    def inspect(self) -> list[str]:
        (cluster,) = (entry.state for entry in self.ledger.entries(CLUSTER))
        wrong = [*self.wrong_of_cluster(cluster), *self.wrong_of_pools(cluster)]
        if wrong:
            raise InspectionError("\n".join(wrong))
        zones = len(self.settings.topology.zones)
        return [
            f"a cluster of tier {cluster['sku']['tier']} with nodes in {zones} zone{'s' if zones > 1 else ''}",
            "its API has a private address only, and no local accounts",
            *(["Secrets are encrypted under the stack's key"] if self.levers.etcd_key else []),
        ]

    def wrong_of_cluster(self, cluster: Mapping[str, Any]) -> Iterator[str]:
        tier = PLANES[Cloud.AZURE][self.settings.scenario].tier
        if cluster["sku"]["tier"] != tier:
            yield f"the tier is {cluster['sku']['tier']}, not {tier}"
        if "fqdn" in cluster or "privateFQDN" not in cluster:
            yield "the API has a public address"
        if cluster["disableLocalAccounts"] is not True:
            yield "local accounts are on"
        if self.levers.etcd_key and not cluster["securityProfile"]["azureKeyVaultKms"]["enabled"]:
            yield "Secrets are not encrypted under the stack's key"

    def wrong_of_pools(self, cluster: Mapping[str, Any]) -> Iterator[str]:
        wanted = set(self.settings.topology.zones)
        pools = [entry.state for entry in self.ledger.entries(POOL)]
        for pool in cluster["agentPoolProfiles"]:
            if set(pool["availabilityZones"]) != wanted:
                yield f"{pool['name']}: nodes in {', '.join(pool['availabilityZones'])}"
        for_workloads = {zone for pool in pools for zone in pool["availabilityZones"]}
        if self.levers.own_system_pool and for_workloads != wanted:
            yield f"workloads have nodes in {', '.join(sorted(for_workloads)) or 'no zone'}"
