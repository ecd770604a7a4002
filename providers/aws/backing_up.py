"""Vaults, plans and what they are for, by AWS Backup's requests."""

from typing import Any, Final

from providers.aws.connection import Aws
from providers.aws.kind import Kind, Made, Request, names, pascal, pick

SERVICE: Final = "backup"


def make_vault(aws: Aws, request: Request) -> Made:
    given = request.inputs
    aws("kms", "describe_key", KeyId=given["kmsKeyArn"])
    made = aws(
        SERVICE,
        "create_backup_vault",
        BackupVaultName=given["name"],
        EncryptionKeyArn=given["kmsKeyArn"],
        BackupVaultTags=dict(request.tags),
    )
    return Made(given["name"], {"arn": made["BackupVaultArn"]})


def put_lock(aws: Aws, request: Request) -> Made:
    given = request.inputs
    aws(
        SERVICE,
        "put_backup_vault_lock_configuration",
        **pick(given, "backupVaultName minRetentionDays maxRetentionDays changeableForDays"),
    )
    return Made(given["backupVaultName"])


def rule(given: dict[str, Any]) -> dict[str, Any]:
    """A rule as AWS Backup spells it."""
    spelt: dict[str, Any] = pascal(given)
    renamed = {
        "TargetBackupVaultName": spelt.pop("TargetVaultName"),
        "ScheduleExpression": spelt.pop("Schedule"),
        "StartWindowMinutes": spelt.pop("StartWindow"),
        "CompletionWindowMinutes": spelt.pop("CompletionWindow"),
    }
    lifecycle = {f"{name}Days": days for name, days in spelt.pop("Lifecycle").items()}
    return {**spelt, **renamed, "Lifecycle": lifecycle}


def make_plan(aws: Aws, request: Request) -> Made:
    given = request.inputs
    rules = [rule(one) for one in given["rules"]]
    for one in rules:
        aws(SERVICE, "describe_backup_vault", BackupVaultName=one["TargetBackupVaultName"])
    made = aws(
        SERVICE,
        "create_backup_plan",
        BackupPlan={"BackupPlanName": given["name"], "Rules": rules},
        BackupPlanTags=dict(request.tags),
    )
    return Made(made["BackupPlanId"], {"arn": made["BackupPlanArn"], "version": made["VersionId"]})


def check_selection(aws: Aws, request: Request) -> Made:
    given = request.inputs
    aws(SERVICE, "get_backup_plan", BackupPlanId=given["planId"])
    selection = {
        "SelectionName": given["name"],
        "IamRoleArn": given["iamRoleArn"],
        "Resources": given["resources"],
    }
    aws.check(SERVICE, "create_backup_selection", BackupPlanId=given["planId"], BackupSelection=selection)
    return Made(f"{given['planId']}-{given['name']}")


KINDS: Final = {
    "aws:backup/vault:Vault": Kind(
        inputs=names("name kmsKeyArn tags"),
        named="name",
        create=make_vault,
        find=lambda aws, identity, state: aws(SERVICE, "describe_backup_vault", BackupVaultName=identity),
        delete=lambda aws, identity, state: aws(SERVICE, "delete_backup_vault", BackupVaultName=identity),
    ),
    "aws:backup/vaultLockConfiguration:VaultLockConfiguration": Kind(
        inputs=names("backupVaultName minRetentionDays maxRetentionDays changeableForDays"),
        create=put_lock,
        delete=lambda aws, identity, state: aws(
            SERVICE, "delete_backup_vault_lock_configuration", BackupVaultName=identity
        ),
    ),
    "aws:backup/plan:Plan": Kind(
        inputs=names("name rules tags"),
        named="name",
        create=make_plan,
        find=lambda aws, identity, state: aws(SERVICE, "get_backup_plan", BackupPlanId=identity),
        delete=lambda aws, identity, state: aws(SERVICE, "delete_backup_plan", BackupPlanId=identity),
    ),
    "aws:backup/selection:Selection": Kind(
        inputs=names("name planId iamRoleArn resources"), named="name", create=check_selection, emulated=False
    ),
}
