"""Backups of a managed cluster on Azure: its objects in a storage account, its volumes as snapshots of disks."""

from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi_azure_native import containerservice, kubernetesconfiguration, resources, storage
from pulumi_azure_native import dataprotection as backup

from components.azure.backup_policy import CLUSTERS, policy
from components.azure.levers import BackupPlan
from components.azure.place import Place
from components.azure.roles import Role, assign, principal_of

CONTAINER: Final = "backups"
EXTENSION: Final = "azure-aks-backup"
"""The name that Azure's own tools give it, and look for."""
DELETED_BLOBS_DAYS: Final = 14


@dataclass(frozen=True, kw_only=True)
class BackupsArgs:
    """What is backed up, when, and by whom."""

    place: Place
    """Of what outlives the stack."""
    plan: BackupPlan
    cluster: containerservice.ManagedCluster
    cluster_group: pulumi.Input[str]
    """Name of the cluster's resource group."""
    cluster_principal: pulumi.Input[str]
    nodes_subnet: pulumi.Input[str]
    tenant: pulumi.Input[str]
    subscription: pulumi.Input[str]


class Backups(pulumi.ComponentResource):
    """A vault, a private storage account, a group for snapshots, and the agent in the cluster that fills them.

    What holds a backup outlives the stack: it is for the day on which the stack is gone.
    """

    vault_id: pulumi.Output[str]

    def __init__(self, name: str, args: BackupsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kube-ha:azure:Backups", name, None, opts)
        self.name, self.args = name, args
        self.child = pulumi.ResourceOptions(parent=self)
        self.kept = pulumi.ResourceOptions(parent=self, protect=True, retain_on_delete=True)
        self.vault = self.backup_vault()
        self.vault_id = self.vault.id
        self.snapshots = resources.ResourceGroup(
            f"{name}-snapshots", location=args.place.location, tags=args.place.tags, opts=self.kept
        )
        self.account = self.storage_account()
        may = [*self.vault_may(), *self.cluster_may(), self.agent()]
        self.protect_cluster(may)
        self.register_outputs({"vaultId": self.vault_id})

    def backup_vault(self) -> backup.BackupVault:
        plan = self.args.plan
        return backup.BackupVault(
            self.name,
            resource_group_name=self.args.place.resource_group,
            location=self.args.place.location,
            tags=self.args.place.tags,
            identity=backup.DppIdentityDetailsArgs(type="SystemAssigned"),
            properties=backup.BackupVaultArgs(
                storage_settings=[backup.StorageSettingArgs(datastore_type="VaultStore", type="ZoneRedundant")],
                security_settings=backup.SecuritySettingsArgs(
                    soft_delete_settings=backup.SoftDeleteSettingsArgs(
                        state=plan.soft_delete, retention_duration_in_days=plan.soft_delete_days
                    )
                ),
            ),
            opts=self.kept,
        )

    def storage_account(self) -> storage.StorageAccount:
        """Over three zones, for the nodes alone, by their identity: it has no keys to leak."""
        account = storage.StorageAccount(
            # Names of accounts are letters and digits, 24 at most, eight of which Pulumi adds.
            self.name.replace("-", "")[:16],
            resource_group_name=self.args.place.resource_group,
            location=self.args.place.location,
            tags=self.args.place.tags,
            kind="StorageV2",
            sku=storage.SkuArgs(name="Standard_ZRS"),
            allow_blob_public_access=False,
            allow_shared_key_access=False,
            allow_cross_tenant_replication=False,
            enable_https_traffic_only=True,
            minimum_tls_version="TLS1_2",
            network_rule_set=storage.NetworkRuleSetArgs(
                default_action=storage.DefaultAction.DENY,
                bypass="AzureServices",
                virtual_network_rules=[
                    storage.VirtualNetworkRuleArgs(virtual_network_resource_id=self.args.nodes_subnet)
                ],
            ),
            opts=self.kept,
        )
        within = pulumi.ResourceOptions.merge(self.kept, pulumi.ResourceOptions(parent=account))
        storage.BlobServiceProperties(
            f"{self.name}-versions",
            blob_services_name="default",
            account_name=account.name,
            resource_group_name=self.args.place.resource_group,
            is_versioning_enabled=True,
            delete_retention_policy=storage.DeleteRetentionPolicyArgs(enabled=True, days=DELETED_BLOBS_DAYS),
            opts=within,
        )
        self.container = storage.BlobContainer(
            f"{self.name}-backups",
            container_name=CONTAINER,
            account_name=account.name,
            resource_group_name=self.args.place.resource_group,
            public_access=storage.PublicAccess.NONE,
            opts=within,
        )
        return account

    def vault_may(self) -> list[pulumi.Resource]:
        """The vault reads the cluster and the group of its snapshots, and speaks with its agent."""
        itself = principal_of(self.vault, self.vault.identity)
        reads = {"cluster": self.args.cluster.id, "snapshots": self.snapshots.id}
        trusted = containerservice.TrustedAccessRoleBinding(
            self.name,
            trusted_access_role_binding_name="backup",
            resource_group_name=self.args.cluster_group,
            resource_name_=self.args.cluster.name,
            source_resource_id=self.vault_id,
            roles=["Microsoft.DataProtection/backupVaults/backup-operator"],
            opts=self.child,
        )
        return [
            trusted,
            *(
                assign(f"{self.name}-vault-reads-{what}", Role.READER, to=itself, on=on, opts=self.child)
                for what, on in reads.items()
            ),
        ]

    def cluster_may(self) -> list[pulumi.Resource]:
        """The cluster keeps snapshots of its disks."""
        return [
            assign(
                f"{self.name}-cluster-keeps-snapshots",
                Role.CONTRIBUTOR,
                to=self.args.cluster_principal,
                on=self.snapshots.id,
                opts=self.child,
            )
        ]

    def agent(self) -> pulumi.Resource:
        """What copies the cluster's objects; it has an identity of its own."""
        extension = kubernetesconfiguration.Extension(
            self.name,
            extension_name=EXTENSION,
            cluster_rp="Microsoft.ContainerService",
            cluster_resource_name="managedClusters",
            cluster_name=self.args.cluster.name,
            resource_group_name=self.args.cluster_group,
            extension_type="microsoft.dataprotection.kubernetes",
            auto_upgrade_minor_version=True,
            release_train="stable",
            scope=kubernetesconfiguration.ScopeArgs(
                cluster=kubernetesconfiguration.ScopeClusterArgs(release_namespace="dataprotection-microsoft")
            ),
            configuration_settings={
                "configuration.backupStorageLocation.bucket": self.container.name,
                "configuration.backupStorageLocation.config.resourceGroup": self.args.place.resource_group,
                "configuration.backupStorageLocation.config.storageAccount": self.account.name,
                "configuration.backupStorageLocation.config.subscriptionId": self.args.subscription,
                "credentials.tenantId": self.args.tenant,
            },
            opts=self.child,
        )
        return assign(
            f"{self.name}-agent-writes",
            Role.STORAGE_BLOB_DATA_CONTRIBUTOR,
            to=principal_of(extension, extension.aks_assigned_identity),
            on=self.account.id,
            opts=self.child,
        )

    def protect_cluster(self, may: list[pulumi.Resource]) -> None:
        """Begin: Azure checks what everybody may do before it says yes."""
        plan = backup.BackupPolicy(
            self.name,
            resource_group_name=self.args.place.resource_group,
            vault_name=self.vault.name,
            properties=policy(self.args.plan),
            opts=self.kept,
        )
        cluster: dict[str, Any] = {
            "resource_id": self.args.cluster.id,
            "resource_uri": self.args.cluster.id,
            "resource_name": self.args.cluster.name,
            "resource_type": CLUSTERS,
            "resource_location": self.args.place.location,
            "datasource_type": CLUSTERS,
        }
        everything = backup.KubernetesClusterBackupDatasourceParametersArgs(
            object_type="KubernetesClusterBackupDatasourceParameters",
            include_cluster_scope_resources=True,
            snapshot_volumes=True,
        )
        snapshots = backup.AzureOperationalStoreParametersArgs(
            object_type="AzureOperationalStoreParameters",
            data_store_type="OperationalStore",
            resource_group_id=self.snapshots.id,
        )
        backup.BackupInstance(
            self.name,
            resource_group_name=self.args.place.resource_group,
            vault_name=self.vault.name,
            tags=self.args.place.tags,
            properties=backup.BackupInstanceArgs(
                object_type="BackupInstance",
                friendly_name=self.name,
                data_source_info=backup.DatasourceArgs(**cluster, object_type="Datasource"),
                data_source_set_info=backup.DatasourceSetArgs(**cluster, object_type="DatasourceSet"),
                policy_info=backup.PolicyInfoArgs(
                    policy_id=plan.id,
                    policy_parameters=backup.PolicyParametersArgs(
                        backup_datasource_parameters_list=[everything], data_store_parameters_list=[snapshots]
                    ),
                ),
            ),
            # To delete it is to delete the backups that it made.
            opts=pulumi.ResourceOptions.merge(self.kept, pulumi.ResourceOptions(depends_on=may)),
        )
