"""Backups of a GKE cluster: its objects, Secrets among them, and its volumes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import pulumi
from pulumi_gcp import gkebackup

from components.gcp.levers import BackupTier

FAR_REGIONS: Final[Mapping[str, str]] = {
    "asia-east1": "asia-northeast1",
    "asia-northeast1": "asia-east1",
    "asia-south1": "asia-southeast1",
    "asia-southeast1": "asia-east1",
    "australia-southeast1": "asia-southeast1",
    "europe-north1": "europe-west4",
    "europe-west1": "europe-west4",
    "europe-west2": "europe-west4",
    "europe-west3": "europe-west4",
    "europe-west4": "europe-west1",
    "europe-west6": "europe-west3",
    "northamerica-northeast1": "us-east4",
    "southamerica-east1": "us-east1",
    "us-central1": "us-east1",
    "us-east1": "us-central1",
    "us-east4": "us-central1",
    "us-west1": "us-central1",
    "us-west2": "us-central1",
}
"""Region → another one, of the same continent where there is one: where backups go that outlive the region."""

HOUR: Final = timedelta(hours=1)
NIGHT: Final = 3
"""UTC; hour of a daily backup."""


@dataclass(frozen=True, kw_only=True)
class Store:
    """Where backups of a tier are kept, and under which key."""

    region: str
    key_id: pulumi.Input[str]


@dataclass(frozen=True, kw_only=True)
class BackupsArgs:
    """What is backed up, and where to."""

    project: str
    cluster_id: pulumi.Input[str]
    tiers: Sequence[BackupTier]
    stores: Mapping[str, Store]
    """Tier → store."""
    outlives_the_stack: bool


class Backups(pulumi.ComponentResource):
    """A plan of Backup for GKE per tier."""

    plans: Mapping[str, pulumi.Output[str]]
    """Tier → the plan's name all over Google Cloud."""

    def __init__(self, name: str, args: BackupsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kube-ha:gcp:Backups", name, None, opts)
        self.name, self.args = name, args
        self.plans = {tier.name: self.plan(tier).id for tier in args.tiers}
        self.register_outputs({"plans": self.plans})

    def plan(self, tier: BackupTier) -> gkebackup.BackupPlan:
        store = self.args.stores[tier.name]
        key = gkebackup.BackupPlanBackupConfigEncryptionKeyArgs(gcp_kms_encryption_key=store.key_id)
        return gkebackup.BackupPlan(
            f"{self.name}-{tier.name}",
            project=self.args.project,
            location=store.region,
            cluster=self.args.cluster_id,
            description=f"kube-ha: every {tier.every}, kept {tier.keep.days} days",
            backup_config=gkebackup.BackupPlanBackupConfigArgs(
                all_namespaces=True,
                include_secrets=True,
                include_volume_data=True,
                encryption_key=key,
                # What cannot be restored just so is told at the backup, not at the restore.
                permissive_mode=False,
            ),
            backup_schedule=gkebackup.BackupPlanBackupScheduleArgs(cron_schedule=cron(tier.every)),
            retention_policy=gkebackup.BackupPlanRetentionPolicyArgs(
                backup_retain_days=tier.keep.days,
                backup_delete_lock_days=tier.keep.days if tier.locked else 0,
                locked=tier.locked,
            ),
            opts=pulumi.ResourceOptions(
                parent=self, protect=self.args.outlives_the_stack, retain_on_delete=self.args.outlives_the_stack
            ),
        )


def cron(every: timedelta) -> str:
    """A schedule of whole hours that divide the day, or of one day."""
    hours = every // HOUR
    if hours == 1:
        return "0 * * * *"
    return f"0 {NIGHT} * * *" if hours == 24 else f"0 */{hours} * * *"
