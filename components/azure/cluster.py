"""The managed cluster itself: everything that AKS takes at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Final

import pulumi
from pulumi_azure_native import containerservice as aks

from components.azure import node_pools
from components.azure.encryption import Encryption
from components.azure.identity import Identity
from components.azure.levers import Levers
from components.azure.network import Network
from components.azure.node_pools import Nodes
from components.azure.place import Place
from components.network_settings import NetworkSettings

DNS_ADDRESS: Final = 10
"""Of the Service network, which of its addresses is the cluster's DNS; AKS' own habit."""

WINDOWS: Final = {"aksManagedAutoUpgradeSchedule": "Tuesday", "aksManagedNodeOSUpgradeSchedule": "Wednesday"}
"""Names that AKS gives its windows → day: working days, when somebody is there, and never both on one."""
WINDOW_START: Final = "02:00"
WINDOW_HOURS: Final = 4
"""The least that AKS takes; UTC."""

ZONE_LABEL: Final = "topology.kubernetes.io/zone"


@dataclass(frozen=True, kw_only=True)
class ClusterArgs:
    """What a cluster is made from."""

    place: Place
    tier: str
    levers: Levers
    zones: Sequence[str]
    nodes: Nodes
    version: str | None
    """A minor one; None leaves it to AKS."""
    ranges: NetworkSettings
    public_to: Sequence[IPv4Network]
    """Who may reach the API from the internet; empty means nobody, and that it has no public address."""
    administrators: Sequence[str]
    network: Network
    identity: Identity
    encryption: Encryption | None
    logs: pulumi.Input[str] | None
    """ID of the workspace that Container insights writes to."""


class Cluster(pulumi.ComponentResource):
    """A cluster, its pools, and when it may be upgraded."""

    resource: aks.ManagedCluster
    host: pulumi.Output[str]
    """Name of the API's endpoint."""

    def __init__(self, name: str, args: ClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kube-ha:azure:Cluster", name, None, opts)
        self.name, self.args = name, args
        self.resource = self.managed_cluster()
        child = pulumi.ResourceOptions(parent=self)
        if args.levers.own_system_pool:
            node_pools.workload_pools(name, args.nodes, args.zones, self.resource.name, child)
        for window, day in WINDOWS.items():
            self.maintenance(window, day, child)
        host = self.resource.fqdn if args.public_to else self.resource.private_fqdn
        self.host = host.apply(str)
        self.register_outputs({"host": self.host})

    def managed_cluster(self) -> aks.ManagedCluster:
        args = self.args
        return aks.ManagedCluster(
            self.name,
            resource_group_name=args.place.resource_group,
            location=args.place.location,
            tags=args.place.tags,
            sku=aks.ManagedClusterSKUArgs(name="Base", tier=args.tier),
            support_plan="KubernetesOfficial",
            kubernetes_version=args.version,
            dns_prefix=self.name,
            node_resource_group=pulumi.Output.concat(args.place.resource_group, "-nodes"),
            agent_pool_profiles=[
                node_pools.system_pool(args.nodes, args.zones, exclusive=args.levers.own_system_pool),
            ],
            identity=aks.ManagedClusterIdentityArgs(
                type=aks.ResourceIdentityType.USER_ASSIGNED, user_assigned_identities=[args.identity.id]
            ),
            identity_profile={"kubeletidentity": self.kubelet_identity()},
            disable_local_accounts=True,
            enable_rbac=True,
            aad_profile=aks.ManagedClusterAADProfileArgs(
                managed=True, enable_azure_rbac=True, admin_group_object_ids=list(args.administrators)
            ),
            oidc_issuer_profile=aks.ManagedClusterOIDCIssuerProfileArgs(enabled=True),
            api_server_access_profile=self.access(),
            network_profile=self.network_profile(),
            security_profile=self.security(),
            disk_encryption_set_id=args.encryption.disk_encryption_set if args.encryption else None,
            auto_upgrade_profile=aks.ManagedClusterAutoUpgradeProfileArgs(
                # A stack that names its minor version stays on it, and gets its patches.
                upgrade_channel="patch" if args.version else "stable",
                node_os_upgrade_channel="NodeImage",
            ),
            azure_monitor_profile=self.metrics(),
            addon_profiles=self.insights(),
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=True,
                depends_on=[args.identity, *([args.encryption] if args.encryption else [])],
            ),
        )

    def kubelet_identity(self) -> aks.UserAssignedIdentityArgs:
        kubelet = self.args.identity.kubelet
        return aks.UserAssignedIdentityArgs(
            resource_id=kubelet.id, client_id=kubelet.client_id, object_id=kubelet.principal_id
        )

    def access(self) -> aks.ManagedClusterAPIServerAccessProfileArgs:
        """Nodes reach the API in the stack's own network, whoever else does."""
        public = bool(self.args.public_to)
        return aks.ManagedClusterAPIServerAccessProfileArgs(
            enable_vnet_integration=True,
            subnet_id=self.args.network.api_server_subnet,
            disable_run_command=not self.args.levers.run_command,
            enable_private_cluster=not public,
            enable_private_cluster_public_fqdn=None if public else False,
            private_dns_zone=None if public else "system",
            authorized_ip_ranges=[str(cidr) for cidr in self.args.public_to] if public else None,
        )

    def network_profile(self) -> aks.ContainerServiceNetworkProfileArgs:
        """Pods have addresses of their own range; what leaves does so by a zone-redundant load balancer."""
        ranges = self.args.ranges
        return aks.ContainerServiceNetworkProfileArgs(
            network_plugin="azure",
            network_plugin_mode="overlay",
            network_dataplane="cilium",
            network_policy="cilium",
            pod_cidr=str(ranges.pod_cidr),
            service_cidr=str(ranges.service_cidr),
            dns_service_ip=str(ranges.service_cidr[DNS_ADDRESS]),
            load_balancer_sku="standard",
            outbound_type="loadBalancer",
        )

    def security(self) -> aks.ManagedClusterSecurityProfileArgs:
        own_key = None
        if self.args.encryption:
            own_key = aks.AzureKeyVaultKmsArgs(
                enabled=True,
                key_id=self.args.encryption.etcd_key,
                key_vault_resource_id=self.args.encryption.vault_id,
                key_vault_network_access="Private",
            )
        return aks.ManagedClusterSecurityProfileArgs(
            workload_identity=aks.ManagedClusterSecurityProfileWorkloadIdentityArgs(enabled=True),
            azure_key_vault_kms=own_key,
        )

    def metrics(self) -> aks.ManagedClusterAzureMonitorProfileArgs | None:
        if not self.args.levers.insights:
            return None
        return aks.ManagedClusterAzureMonitorProfileArgs(
            metrics=aks.ManagedClusterAzureMonitorProfileMetricsArgs(
                enabled=True,
                kube_state_metrics=aks.ManagedClusterAzureMonitorProfileKubeStateMetricsArgs(
                    metric_labels_allowlist=f"nodes=[{ZONE_LABEL}]"
                ),
            )
        )

    def insights(self) -> dict[str, aks.ManagedClusterAddonProfileArgs] | None:
        if self.args.logs is None or not self.args.levers.insights:
            return None
        config = {"logAnalyticsWorkspaceResourceID": self.args.logs, "useAADAuth": "true"}
        return {"omsagent": aks.ManagedClusterAddonProfileArgs(enabled=True, config=config)}

    def maintenance(self, window: str, day: str, opts: pulumi.ResourceOptions) -> None:
        aks.MaintenanceConfiguration(
            f"{self.name}-{window}",
            config_name=window,
            resource_group_name=self.args.place.resource_group,
            resource_name_=self.resource.name,
            maintenance_window=aks.MaintenanceWindowArgs(
                schedule=aks.ScheduleArgs(weekly=aks.WeeklyScheduleArgs(day_of_week=day, interval_weeks=1)),
                start_time=WINDOW_START,
                duration_hours=WINDOW_HOURS,
                utc_offset="+00:00",
            ),
            opts=opts,
        )
