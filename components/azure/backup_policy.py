"""When Azure Backup copies a cluster, and how long it keeps what, in its own words. Pure but for the SDK's types."""

from typing import Final

from pulumi_azure_native import dataprotection as backup

from components.azure.levers import BackupPlan

CLUSTERS: Final = "Microsoft.ContainerService/managedClusters"
FIRST: Final = "2026-01-01T01:00:00+00:00"
"""The schedule counts from here: an hour before the windows in which nodes are upgraded."""
TAG: Final = "Default"


def policy(plan: BackupPlan) -> backup.BackupPolicyArgs:
    """A schedule, and one life for all that it makes."""
    snapshots = backup.DataStoreInfoBaseArgs(data_store_type="OperationalStore", object_type="DataStoreInfoBase")
    everything = backup.TaggingCriteriaArgs(
        is_default=True, tagging_priority=99, tag_info=backup.RetentionTagArgs(tag_name=TAG)
    )
    schedule = backup.ScheduleBasedTriggerContextArgs(
        object_type="ScheduleBasedTriggerContext",
        schedule=backup.BackupScheduleArgs(repeating_time_intervals=[f"R/{FIRST}/{interval(plan.every_hours)}"]),
        tagging_criteria=[everything],
    )
    life = backup.SourceLifeCycleArgs(
        delete_after=backup.AbsoluteDeleteOptionArgs(
            object_type="AbsoluteDeleteOption", duration=f"P{plan.keep_days}D"
        ),
        source_data_store=snapshots,
    )
    return backup.BackupPolicyArgs(
        object_type="BackupPolicy",
        datasource_types=[CLUSTERS],
        policy_rules=[
            backup.AzureBackupRuleArgs(
                name="Backup",
                object_type="AzureBackupRule",
                backup_parameters=backup.AzureBackupParamsArgs(
                    object_type="AzureBackupParams", backup_type="Incremental"
                ),
                data_store=snapshots,
                trigger=schedule,
            ),
            backup.AzureRetentionRuleArgs(
                name=TAG, object_type="AzureRetentionRule", is_default=True, lifecycles=[life]
            ),
        ],
    )


def interval(hours: int) -> str:
    """ISO 8601, as Azure Backup wants it: a day is a day."""
    return "P1D" if hours == 24 else f"PT{hours}H"
