"""GKE's control plane, with the levers of its scenario."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import pulumi
from pulumi_gcp import container

from components.gcp.levers import Levers
from components.gcp.network import PODS, SERVICES, Network

WEEKEND: Final = container.ClusterMaintenancePolicyRecurringWindowArgs(
    start_time="2026-01-03T00:00:00Z", end_time="2026-01-03T06:00:00Z", recurrence="FREQ=WEEKLY;BYDAY=SA,SU"
)
"""UTC. GKE asks for 48 hours in any 32 days, in parts of four hours or more (its documentation on maintenance)."""

BEGINNING: Final = "2026-01-01T00:00:00Z"
"""Of an exclusion that ends with the version's support."""

PATCHES: Final = 4
"""How many patches may come in the time between two minor upgrades."""


@dataclass(frozen=True, kw_only=True)
class ClusterArgs:
    """What a cluster is made from."""

    project: str
    location: str
    """A region, or a zone where the scenario is content with one."""
    node_locations: Sequence[str]
    """Beside the location where that is a zone."""
    version: str | None
    levers: Levers
    network: Network
    key_id: pulumi.Input[str]
    node_account: pulumi.Input[str]
    public: bool
    clients: Mapping[str, str]
    """Name → range that may connect."""
    labels: Mapping[str, str]


class Cluster(pulumi.ComponentResource):
    """One cluster without nodes: those are pools of their own."""

    name: pulumi.Output[str]
    id: pulumi.Output[str]
    host: pulumi.Output[str]
    """Address of the API."""
    authority: pulumi.Output[str]
    """Certificate of the API's authority, in base64."""

    def __init__(self, name: str, args: ClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kube-ha:gcp:Cluster", name, None, opts)
        levers = args.levers
        self.cluster = container.Cluster(
            name,
            project=args.project,
            location=args.location,
            node_locations=args.node_locations or None,
            min_master_version=args.version,
            network=args.network.network,
            subnetwork=args.network.subnetwork,
            networking_mode="VPC_NATIVE",
            ip_allocation_policy=container.ClusterIpAllocationPolicyArgs(
                cluster_secondary_range_name=PODS, services_secondary_range_name=SERVICES, stack_type="IPV4"
            ),
            datapath_provider="ADVANCED_DATAPATH",
            dns_config=cloud_dns() if levers.cluster_dns else None,
            private_cluster_config=private(args),
            control_plane_endpoints_config=names_stay_inside(),
            master_authorized_networks_config=clients(args.clients),
            master_auth=no_certificates(),
            anonymous_authentication_config=container.ClusterAnonymousAuthenticationConfigArgs(mode="LIMITED"),
            enable_legacy_abac=False,
            workload_identity_config=container.ClusterWorkloadIdentityConfigArgs(
                workload_pool=f"{args.project}.svc.id.goog"
            ),
            database_encryption=container.ClusterDatabaseEncryptionArgs(state="ENCRYPTED", key_name=args.key_id),
            enable_shielded_nodes=True,
            security_posture_config=container.ClusterSecurityPostureConfigArgs(mode="BASIC"),
            release_channel=container.ClusterReleaseChannelArgs(channel=levers.release_channel),
            maintenance_policy=maintenance(levers),
            logging_config=container.ClusterLoggingConfigArgs(enable_components=list(levers.control_plane_logs)),
            monitoring_config=container.ClusterMonitoringConfigArgs(
                enable_components=list(levers.control_plane_metrics),
                managed_prometheus=container.ClusterMonitoringConfigManagedPrometheusArgs(enabled=True),
            ),
            addons_config=addons(levers),
            node_pool_defaults=quiet_kubelets(),
            # GKE makes no cluster without a pool: this one is removed as soon as it is there.
            remove_default_node_pool=True,
            initial_node_count=1,
            node_config=container.ClusterNodeConfigArgs(service_account=args.node_account),
            resource_labels=args.labels,
            deletion_protection=levers.deletion_protection,
            opts=pulumi.ResourceOptions(parent=self, protect=levers.deletion_protection, ignore_changes=["nodeConfig"]),
        )
        self.name, self.id, self.host = self.cluster.name, self.cluster.id, self.cluster.endpoint
        self.authority = self.cluster.master_auth.cluster_ca_certificate.apply(str)
        self.register_outputs({"name": self.name, "host": self.host})


def private(args: ClusterArgs) -> container.ClusterPrivateClusterConfigArgs:
    """Nodes without public addresses, and an endpoint in the stack's own network."""
    return container.ClusterPrivateClusterConfigArgs(
        enable_private_nodes=True,
        enable_private_endpoint=not args.public,
        private_endpoint_subnetwork=args.network.endpoint_subnetwork,
        master_global_access_config=container.ClusterPrivateClusterConfigMasterGlobalAccessConfigArgs(
            enabled=args.levers.global_access
        ),
    )


def names_stay_inside() -> container.ClusterControlPlaneEndpointsConfigArgs:
    """GKE also gives the API a public name, whose clients only IAM would hold back."""
    return container.ClusterControlPlaneEndpointsConfigArgs(
        dns_endpoint_config=container.ClusterControlPlaneEndpointsConfigDnsEndpointConfigArgs(
            allow_external_traffic=False
        )
    )


def clients(ranges: Mapping[str, str]) -> container.ClusterMasterAuthorizedNetworksConfigArgs:
    """Who may connect; Google's own public addresses, where anybody can have a machine, are not among them."""
    return container.ClusterMasterAuthorizedNetworksConfigArgs(
        cidr_blocks=[
            container.ClusterMasterAuthorizedNetworksConfigCidrBlockArgs(display_name=name, cidr_block=cidr)
            for name, cidr in ranges.items()
        ],
        gcp_public_cidrs_access_enabled=False,
        private_endpoint_enforcement_enabled=True,
    )


def no_certificates() -> container.ClusterMasterAuthArgs:
    """People are known to IAM; a certificate cannot be taken back."""
    return container.ClusterMasterAuthArgs(
        client_certificate_config=container.ClusterMasterAuthClientCertificateConfigArgs(issue_client_certificate=False)
    )


def cloud_dns() -> container.ClusterDnsConfigArgs:
    return container.ClusterDnsConfigArgs(
        cluster_dns="CLOUD_DNS", cluster_dns_scope="CLUSTER_SCOPE", cluster_dns_domain="cluster.local"
    )


def addons(levers: Levers) -> container.ClusterAddonsConfigArgs:
    return container.ClusterAddonsConfigArgs(
        gke_backup_agent_config=container.ClusterAddonsConfigGkeBackupAgentConfigArgs(enabled=bool(levers.backups)),
        dns_cache_config=container.ClusterAddonsConfigDnsCacheConfigArgs(enabled=levers.cluster_dns),
    )


def quiet_kubelets() -> container.ClusterNodePoolDefaultsArgs:
    """The kubelets' read-only port tells anybody on the network what runs on a node."""
    return container.ClusterNodePoolDefaultsArgs(
        node_config_defaults=container.ClusterNodePoolDefaultsNodeConfigDefaultsArgs(
            insecure_kubelet_readonly_port_enabled="FALSE"
        )
    )


def maintenance(levers: Levers) -> container.ClusterMaintenancePolicyArgs:
    """When upgrades come by themselves, and which do not."""
    by_hand = container.ClusterMaintenancePolicyMaintenanceExclusionArgs(
        exclusion_name="minor-upgrades-by-hand",
        start_time=BEGINNING,
        exclusion_options=container.ClusterMaintenancePolicyMaintenanceExclusionExclusionOptionsArgs(
            scope="NO_MINOR_UPGRADES", end_time_behavior="UNTIL_END_OF_SUPPORT"
        ),
    )
    apart = levers.upgrade_interval
    budget = (
        container.ClusterMaintenancePolicyDisruptionBudgetArgs(
            minor_version_disruption_interval=duration(apart),
            patch_version_disruption_interval=duration(apart / PATCHES),
        )
        if apart
        else None
    )
    return container.ClusterMaintenancePolicyArgs(
        recurring_window=WEEKEND,
        maintenance_exclusions=[by_hand] if levers.minor_upgrades_by_hand else None,
        disruption_budget=budget,
    )


def duration(time: timedelta) -> str:
    """As Google writes it."""
    return f"{int(time.total_seconds())}s"
