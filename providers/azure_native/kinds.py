"""The types that the stand-in can check: token → where Azure publishes it."""

from collections.abc import Mapping
from typing import Final

from providers.azure_native.api import Api

MONITOR_COLLECTION: Final = "monitor.v2022_06_01"

TYPES: Final[Mapping[str, Api]] = {
    "alertsmanagement:PrometheusRuleGroup": Api(
        package="prometheusrulegroups",
        module="prometheusrulegroups",
        request="build_prometheus_rule_groups_create_or_update_request",
        body="PrometheusRuleGroupResource",
    ),
    "authorization:RoleAssignment": Api(
        package="authorization",
        module="authorization.v2022_04_01",
        operations="_role_assignments_operations",
        request="build_create_request",
        body="RoleAssignmentCreateParameters",
    ),
    "compute:DiskEncryptionSet": Api(
        package="compute",
        module="compute",
        request="build_disk_encryption_sets_create_or_update_request",
        body="DiskEncryptionSet",
    ),
    "containerservice:AgentPool": Api(
        package="containerservice",
        module="containerservice",
        request="build_agent_pools_create_or_update_request",
        body="AgentPool",
    ),
    "containerservice:MaintenanceConfiguration": Api(
        package="containerservice",
        module="containerservice",
        request="build_maintenance_configurations_create_or_update_request",
        body="MaintenanceConfiguration",
    ),
    "containerservice:ManagedCluster": Api(
        package="containerservice",
        module="containerservice",
        request="build_managed_clusters_create_or_update_request",
        body="ManagedCluster",
    ),
    "containerservice:TrustedAccessRoleBinding": Api(
        package="containerservice",
        module="containerservice",
        request="build_trusted_access_role_bindings_create_or_update_request",
        body="TrustedAccessRoleBinding",
    ),
    "dataprotection:BackupInstance": Api(
        package="dataprotection",
        module="dataprotection",
        request="build_backup_instances_create_or_update_request",
        body="BackupInstanceResource",
    ),
    "dataprotection:BackupPolicy": Api(
        package="dataprotection",
        module="dataprotection",
        request="build_backup_policies_create_or_update_request",
        body="BaseBackupPolicyResource",
    ),
    "dataprotection:BackupVault": Api(
        package="dataprotection",
        module="dataprotection",
        request="build_backup_vaults_create_or_update_request",
        body="BackupVaultResource",
    ),
    "keyvault:Key": Api(
        package="keyvault",
        module="keyvault",
        request="build_keys_create_if_not_exist_request",
        body="KeyCreateParameters",
    ),
    "keyvault:Vault": Api(
        package="keyvault",
        module="keyvault",
        request="build_vaults_create_or_update_request",
        body="VaultCreateOrUpdateParameters",
    ),
    "kubernetesconfiguration:Extension": Api(
        package="kubernetesconfiguration-extensions",
        module="kubernetesconfiguration.extensions",
        request="build_extensions_create_request",
        body="Extension",
    ),
    "managedidentity:UserAssignedIdentity": Api(
        package="msi",
        module="msi.v2024_11_30",
        operations="_user_assigned_identities_operations",
        request="build_create_or_update_request",
        body="Identity",
    ),
    "monitor:ActionGroup": Api(
        package="monitor",
        module="monitor.v2022_06_01",
        operations="_action_groups_operations",
        request="build_create_or_update_request",
        body="ActionGroupResource",
    ),
    "monitor:AzureMonitorWorkspace": Api(
        package="monitorworkspaces",
        module="monitorworkspaces",
        request="build_azure_monitor_workspaces_create_or_update_request",
        body="AzureMonitorWorkspaceResource",
    ),
    "monitor:DataCollectionEndpoint": Api(
        package="monitor",
        module=MONITOR_COLLECTION,
        operations="_data_collection_endpoints_operations",
        request="build_create_request",
        body="DataCollectionEndpointResource",
    ),
    "monitor:DataCollectionRule": Api(
        package="monitor",
        module=MONITOR_COLLECTION,
        operations="_data_collection_rules_operations",
        request="build_create_request",
        body="DataCollectionRuleResource",
    ),
    "monitor:DataCollectionRuleAssociation": Api(
        package="monitor",
        module=MONITOR_COLLECTION,
        operations="_data_collection_rule_associations_operations",
        request="build_create_request",
        body="DataCollectionRuleAssociationProxyOnlyResource",
    ),
    "monitor:DiagnosticSetting": Api(
        package="monitor",
        module="monitor.v2021_05_01_preview",
        operations="_diagnostic_settings_operations",
        request="build_create_or_update_request",
        body="DiagnosticSettingsResource",
    ),
    "monitor:MetricAlert": Api(
        package="monitor",
        module="monitor.v2018_03_01",
        operations="_metric_alerts_operations",
        request="build_create_or_update_request",
        body="MetricAlertResource",
    ),
    "network:Subnet": Api(
        package="network", module="network", request="build_subnets_create_or_update_request", body="Subnet"
    ),
    "network:VirtualNetwork": Api(
        package="network",
        module="network",
        request="build_virtual_networks_create_or_update_request",
        body="VirtualNetwork",
    ),
    "operationalinsights:Workspace": Api(
        package="loganalytics",
        module="loganalytics",
        request="build_workspaces_create_or_update_request",
        body="Workspace",
    ),
    "resources:ResourceGroup": Api(
        package="resource",
        module="resource.resources",
        request="build_resource_groups_create_or_update_request",
        body="ResourceGroup",
    ),
    "storage:BlobContainer": Api(
        package="storage", module="storage", request="build_blob_containers_create_request", body="BlobContainer"
    ),
    "storage:BlobServiceProperties": Api(
        package="storage",
        module="storage",
        request="build_blob_services_set_service_properties_request",
        body="BlobServiceProperties",
        always={"blobServicesName": "default"},
    ),
    "storage:StorageAccount": Api(
        package="storage",
        module="storage",
        request="build_storage_accounts_create_request",
        body="StorageAccountCreateParameters",
    ),
}
