"""Backups of an EKS cluster by AWS Backup: its objects and the volumes of its pods."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import pulumi
from pulumi_aws import backup

from components.aws import policies
from components.aws.roles import role
from components.scenarios import Tier

SCHEDULES: Final = {timedelta(hours=1): "cron(0 * ? * * *)", timedelta(days=1): "cron(30 2 ? * * *)"}
"""In UTC."""

START_MINUTES: Final = 60
"""AWS Backup's least; a job that has not started by then is given up."""
COMPLETION_MINUTES: Final = 24 * 60

POLICIES: Final = ("service-role/AWSBackupServiceRolePolicyForBackup",)


@dataclass(frozen=True, kw_only=True)
class ClusterBackupsArgs:
    """What is backed up, how often and for how long."""

    partition: str
    cluster_arn: pulumi.Input[str]
    key_arn: pulumi.Input[str]
    tiers: Sequence[Tier]
    locked: bool
    outlives_the_stack: bool


class ClusterBackups(pulumi.ComponentResource):
    """A vault, a plan, and the cluster as what it is for."""

    vault_name: pulumi.Output[str]
    vault_arn: pulumi.Output[str]

    def __init__(self, name: str, args: ClusterBackupsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kube-ha:aws:ClusterBackups", name, None, opts)
        self.name, self.args = name, args
        child = pulumi.ResourceOptions(parent=self)
        self.vault = backup.Vault(
            name,
            kms_key_arn=args.key_arn,
            opts=pulumi.ResourceOptions(parent=self, protect=True, retain_on_delete=args.outlives_the_stack),
        )
        if args.locked:
            self.lock()
        plan = backup.Plan(name, rules=[self.rule(tier) for tier in args.tiers], opts=child)
        taken, attached = role(
            f"{name}-backup", policies.assumed_by("backup.amazonaws.com"), POLICIES, args.partition, child
        )
        backup.Selection(
            name,
            plan_id=plan.id,
            iam_role_arn=taken.arn,
            resources=[args.cluster_arn],
            opts=pulumi.ResourceOptions(parent=plan, depends_on=attached),
        )
        self.vault_name, self.vault_arn = self.vault.name, self.vault.arn
        self.register_outputs({"vaultArn": self.vault_arn})

    def rule(self, tier: Tier) -> backup.PlanRuleArgs:
        return backup.PlanRuleArgs(
            rule_name=f"every-{int(tier.every.total_seconds() // 3600)}-hours",
            target_vault_name=self.vault.name,
            schedule=SCHEDULES[tier.every],
            start_window=START_MINUTES,
            completion_window=COMPLETION_MINUTES,
            lifecycle=backup.PlanRuleLifecycleArgs(delete_after=tier.keep.days),
        )

    def lock(self) -> None:
        """Nothing in the vault is deleted before the shortest tier's time. Not for ever: somebody with the right to it
        can take the lock off again, which a lock with `changeableForDays` would never allow."""
        backup.VaultLockConfiguration(
            self.name,
            backup_vault_name=self.vault.name,
            min_retention_days=min(tier.keep.days for tier in self.args.tiers),
            max_retention_days=max(tier.keep.days for tier in self.args.tiers),
            opts=pulumi.ResourceOptions(
                parent=self.vault, protect=False, retain_on_delete=self.args.outlives_the_stack
            ),
        )
