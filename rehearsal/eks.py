"""EKS on an emulated AWS."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from components.aws.cluster import LOGS
from components.aws.levers import LEVERS
from components.managed import PLANES
from components.settings import Settings
from providers.aws.connection import ENDPOINT_VARIABLE, Aws
from rehearsal.emulated_aws import EmulatedAws
from rehearsal.emulation import emulator
from rehearsal.engine import Operation
from rehearsal.inspection import Inspection
from rehearsal.project import Project
from rehearsal.scene import InspectionError

OFFICE: Final = "192.0.2.0/24"
DOMAIN: Final = "example.com"

NOT_ENFORCED: Final = (
    "conditions of IAM policies, and IAM as such: every request of the rehearsal is the account owner's",
    "quotas and capacity of an account, and which versions and add-ons EKS offers",
    "deletion protection, tier, zonal shift, upgrade policy and node repair of a cluster: the emulator keeps none of "
    "them, so only the requests are held against AWS's model",
    "nodes and add-ons: they exist, and run nothing",
    "differences of properties in a refresh: it finds only what is gone",
)


@contextmanager
def scene(project: Project, settings: Settings) -> Iterator["Eks"]:
    """The emulator, and a domain of the workloads' that is there before the cluster."""
    log = project.folder / "emulator.log"
    with emulator(log) as url:
        yield Eks(Aws(url, settings.region), {ENDPOINT_VARIABLE: url}, settings, log)


class Eks(EmulatedAws):
    """See `rehearsal.scene.Scene`."""

    kept: tuple[str, ...] = ("eks/cluster:Cluster", "eks/nodeGroup:NodeGroup", "kms/key:Key", "backup/vault:Vault")
    not_enforced: Sequence[str] = NOT_ENFORCED

    def __init__(self, aws: Aws, environment: Mapping[str, str], settings: Settings, log: Path) -> None:
        super().__init__(aws, environment, settings, log)
        zone = aws("route53", "create_hosted_zone", Name=DOMAIN, CallerReference=secrets.token_hex(8))["HostedZone"]
        failover = {
            "zoneId": zone["Id"].removeprefix("/hostedzone/"),
            "name": f"shop.{DOMAIN}",
            "role": "primary",
            "target": f"shop.elb.{settings.region}.amazonaws.com",
            "healthPath": "/healthz",
        }
        self.changes: Mapping[str, Any] = {
            "nodes": {"perZone": 2},
            "loadBalancer": {"public": True, "cidrs": [OFFICE]},
            "dns": {"failover": failover},
        }

    @property
    def cluster(self) -> dict[str, Any]:
        """The only one."""
        (name,) = self.aws("eks", "list_clusters")["clusters"]
        found: dict[str, Any] = self.aws("eks", "describe_cluster", name=name)["cluster"]
        return found

    @property
    def nodes(self) -> list[dict[str, Any]]:
        """Groups of nodes."""
        name = self.cluster["name"]
        groups = self.aws("eks", "list_nodegroups", clusterName=name)["nodegroups"]
        return [
            self.aws("eks", "describe_nodegroup", clusterName=name, nodegroupName=group)["nodegroup"]
            for group in groups
        ]

    def inspect(self) -> list[str]:
        """What was found, in words."""
        look = Inspection(self.aws, self.settings.topology)
        wrong = [
            *look.subnets(),
            *look.policies(),
            *self.wrong_of_cluster(self.cluster),
            *self.wrong_of_nodes(),
            *self.wrong_of_backups(),
        ]
        if wrong:
            raise InspectionError("\n".join(wrong))
        zones = len(self.settings.topology.zones)
        return [
            f"a {PLANES[self.settings.cloud][self.settings.scenario].tier} cluster with nodes in {zones} zones",
            "its API has a private address only",
            "all five logs",
            "secrets and backups encrypted under the stack's key",
            "no policy with a star where AWS can be narrowed",
        ]

    def wrong_of_cluster(self, cluster: Mapping[str, Any]) -> Iterator[str]:
        reached = cluster["resourcesVpcConfig"]
        if reached["endpointPublicAccess"] or not reached["endpointPrivateAccess"]:
            yield f"the API is reached by {reached}"
        if self.zones_of(reached["subnetIds"]) != set(self.settings.topology.zones):
            yield "the control plane is not in the declared zones"
        (logging,) = cluster["logging"]["clusterLogging"]
        if set(logging["types"]) != set(LOGS):
            yield f"logs: {', '.join(logging['types'])}"
        (encryption,) = cluster["encryptionConfig"]
        if encryption["resources"] != ["secrets"]:
            yield f"encrypted: {encryption}"

    def wrong_of_nodes(self) -> Iterator[str]:
        zones = set(self.settings.topology.zones)
        for group in self.nodes:
            if self.zones_of(group["subnets"]) != zones:
                yield f"{group['nodegroupName']} is not in the declared zones"
            if group["scalingConfig"]["desiredSize"] != len(zones) * self.settings.nodes.per_zone:
                yield f"{group['nodegroupName']}: {group['scalingConfig']}"

    def wrong_of_backups(self) -> Iterator[str]:
        (vault,) = self.aws("backup", "list_backup_vaults")["BackupVaultList"]
        if not vault["EncryptionKeyArn"]:
            yield "backups are not encrypted under the stack's key"
        if bool(vault["Locked"]) is not LEVERS[self.settings.scenario].backups_locked:
            yield f"backups locked: {vault['Locked']}"

    def zones_of(self, subnets: Sequence[str]) -> set[str]:
        found = self.aws("ec2", "describe_subnets", SubnetIds=list(subnets))["Subnets"]
        return {subnet["AvailabilityZone"] for subnet in found}

    def running(self) -> set[str]:
        return {self.cluster["arn"], *(group["nodegroupArn"] for group in self.nodes)}

    def unharmed(self, before: set[str], operations: Sequence[Operation]) -> str:
        (size,) = {group["scalingConfig"]["desiredSize"] for group in self.nodes}
        return f"neither the cluster nor its nodes replaced; there are {size} nodes now"

    def unlock(self) -> Sequence[str]:
        return ()

    def left(self) -> str:
        kept = self.aws("backup", "list_backup_vaults")["BackupVaultList"]
        return f"{len(kept)} backup vault kept" if kept else ""
