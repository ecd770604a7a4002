"""Nodes of a GKE cluster, equally many in each zone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_gcp import container

SYSTEM_LABEL: Final = "components.gke.io/gke-managed-components"
"""By this label and taint GKE's own add-ons move to a pool of theirs (its documentation on isolating system pods)."""

SCOPES: Final = ("https://www.googleapis.com/auth/cloud-platform",)
"""What a node may do is its account's permissions alone."""

DISK_GB: Final = 100
"""A balanced disk of this size is fast enough for images of several workloads at once."""


@dataclass(frozen=True, kw_only=True)
class NodePoolArgs:
    """What a pool is made from."""

    project: str
    cluster: pulumi.Input[str]
    location: str
    """The cluster's."""
    zones: Sequence[str]
    per_zone: int
    machine_type: str
    spot: bool
    key_id: pulumi.Input[str] | None
    """Of the disks; Google's own where there is none."""
    node_account: pulumi.Input[str]
    labels: Mapping[str, str]
    system: bool = False
    """Whether only GKE's own add-ons run here."""


class NodePool(pulumi.ComponentResource):
    """A pool whose nodes are repaired and upgraded by GKE, a new one before an old one."""

    def __init__(self, name: str, args: NodePoolArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kube-ha:gcp:NodePool", name, None, opts)
        container.NodePool(
            name,
            project=args.project,
            cluster=args.cluster,
            location=args.location,
            node_locations=list(args.zones),
            node_count=args.per_zone,
            management=container.NodePoolManagementArgs(auto_repair=True, auto_upgrade=True),
            upgrade_settings=container.NodePoolUpgradeSettingsArgs(strategy="SURGE", max_surge=1, max_unavailable=0),
            node_drain_configs=[container.NodePoolNodeDrainConfigArgs(respect_pdb_during_node_pool_deletion=True)],
            network_config=container.NodePoolNetworkConfigArgs(enable_private_nodes=True),
            node_config=node(args),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})


def node(args: NodePoolArgs) -> container.NodePoolNodeConfigArgs:
    """What each node of a pool is."""
    taint = container.NodePoolNodeConfigTaintArgs(key=SYSTEM_LABEL, value="true", effect="NO_EXECUTE")
    return container.NodePoolNodeConfigArgs(
        machine_type=args.machine_type,
        spot=args.spot,
        disk_type="pd-balanced",
        disk_size_gb=DISK_GB,
        boot_disk_kms_key=args.key_id,
        service_account=args.node_account,
        oauth_scopes=list(SCOPES),
        workload_metadata_config=container.NodePoolNodeConfigWorkloadMetadataConfigArgs(mode="GKE_METADATA"),
        shielded_instance_config=container.NodePoolNodeConfigShieldedInstanceConfigArgs(
            enable_secure_boot=True, enable_integrity_monitoring=True
        ),
        metadata={"disable-legacy-endpoints": "true"},
        labels={SYSTEM_LABEL: "true"} if args.system else None,
        taints=[taint] if args.system else None,
        resource_labels=args.labels,
    )
