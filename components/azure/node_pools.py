"""The nodes of a managed cluster on Azure: for system pods one pool over all zones, for workloads one in each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi_azure_native import containerservice

from components.azure.place import Place

SYSTEM_PODS_ONLY: Final = "CriticalAddonsOnly=true:NoSchedule"

DRAIN_MINUTES: Final = 30
"""How long an upgrade waits for a node's pods to leave as their disruption budgets let them; AKS' own default."""


@dataclass(frozen=True, kw_only=True)
class Nodes:
    """What all pools have in common."""

    place: Place
    subnet: pulumi.Input[str]
    type: str
    per_zone: int


def settings(nodes: Nodes, mode: str, zones: Sequence[str], taints: Sequence[str] = ()) -> dict[str, Any]:
    """A pool's properties, as both a cluster's first pool and later ones take them."""
    return {
        "mode": mode,
        "type": "VirtualMachineScaleSets",
        "availability_zones": list(zones),
        "count": nodes.per_zone * len(zones),
        "vm_size": nodes.type,
        "os_type": "Linux",
        "os_sku": "Ubuntu",
        "vnet_subnet_id": nodes.subnet,
        "enable_node_public_ip": False,
        "node_taints": list(taints),
        "tags": nodes.place.tags,
        "upgrade_settings": containerservice.AgentPoolUpgradeSettingsArgs(
            max_surge="1",
            max_unavailable="0",
            drain_timeout_in_minutes=DRAIN_MINUTES,
            # A node whose pods may not leave is set aside for somebody to look at; the others go on.
            undrainable_node_behavior="Cordon",
        ),
    }


def system_pool(
    nodes: Nodes, zones: Sequence[str], *, exclusive: bool
) -> containerservice.ManagedClusterAgentPoolProfileArgs:
    """The pool that a cluster is made with.

    Args:
        exclusive: whether workloads are kept out.
    """
    taints = [SYSTEM_PODS_ONLY] if exclusive else []
    return containerservice.ManagedClusterAgentPoolProfileArgs(
        name="system", **settings(nodes, "System", zones, taints)
    )


def workload_pools(
    name: str, nodes: Nodes, zones: Sequence[str], cluster: pulumi.Input[str], opts: pulumi.ResourceOptions
) -> None:
    """A pool in each zone: one pool over all of them has its nodes where there is room, which is not always where its
    volumes are.
    """
    for zone in zones:
        containerservice.AgentPool(
            f"{name}-zone{zone}",
            agent_pool_name=f"zone{zone}",
            resource_group_name=nodes.place.resource_group,
            resource_name_=cluster,
            **settings(nodes, "User", [zone]),
            opts=opts,
        )
