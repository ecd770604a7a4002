"""What AKS offers for availability, and what each scenario takes of it. Pure: no SDK.

docs/levers.md has `LEVERS` with `WORTH` beside it, and `ALWAYS`; the tier itself and Microsoft's
agreement are in `components/managed.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from components.managed import Lever
from components.scenarios import Scenario


@dataclass(frozen=True, kw_only=True)
class BackupPlan:
    """When Azure Backup copies the cluster's objects and volumes."""

    every_hours: int
    """Of those that AKS can be backed up in: 4, 6, 8, 12 or 24."""
    keep_days: int
    soft_delete: str
    """Of the backup vault; `AlwaysOn` is never off again."""
    soft_delete_days: int


@dataclass(frozen=True, kw_only=True)
class Levers:
    """What a scenario pulls. A field is a lever, and a key of `WORTH`."""

    own_system_pool: bool
    """Whether system pods have nodes of their own, and workloads a pool in each zone."""
    node_type: str
    """Both sizes have a disk of their own for the system, which makes a new node boot sooner."""
    etcd_key: bool
    """Whether Secrets in etcd are encrypted under a key of the stack's own."""
    disk_key: bool
    """Whether nodes' disks and volumes are."""
    control_plane_logs: tuple[str, ...]
    """Categories of AKS' diagnostic settings."""
    log_days: int
    """How long logs are kept; 0 where there are none."""
    insights: bool
    """Managed Prometheus and Container insights."""
    backup: BackupPlan | None
    run_command: bool
    """Whether `az aks command invoke` reaches the API from outside of its network."""


COMPONENT_LOGS: Final = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "cloud-controller-manager",
    "guard",
)

LEVERS: Final[Mapping[Scenario, Levers]] = {
    Scenario.DEVELOPMENT: Levers(
        own_system_pool=False,
        node_type="Standard_D2ds_v5",
        etcd_key=False,
        disk_key=False,
        control_plane_logs=(),
        log_days=0,
        insights=False,
        backup=None,
        run_command=True,
    ),
    Scenario.PRODUCTION: Levers(
        own_system_pool=True,
        node_type="Standard_D4ds_v5",
        etcd_key=True,
        disk_key=False,
        control_plane_logs=(*COMPONENT_LOGS, "kube-audit-admin"),
        log_days=30,
        insights=True,
        backup=BackupPlan(every_hours=24, keep_days=30, soft_delete="On", soft_delete_days=14),
        run_command=False,
    ),
    Scenario.CRITICAL: Levers(
        own_system_pool=True,
        node_type="Standard_D4ds_v5",
        etcd_key=True,
        disk_key=True,
        control_plane_logs=(*COMPONENT_LOGS, "kube-audit"),
        log_days=90,
        insights=True,
        backup=BackupPlan(every_hours=4, keep_days=90, soft_delete="AlwaysOn", soft_delete_days=90),
        run_command=False,
    ),
}


WORTH: Final[Mapping[str, Lever]] = {
    "own_system_pool": Lever(
        worth="a workload that eats its node's memory takes DNS and metrics with it otherwise; and a pool in each zone "
        "has its nodes where its volumes are",
        cost="a node more in each zone",
    ),
    "node_type": Lever(
        worth="two cores are enough for system pods and little beside them", cost="four cost twice as much as two"
    ),
    "etcd_key": Lever(
        worth="a copy of etcd is worth nothing without a key that you can revoke",
        cost="a key vault and its requests; a lost key is a lost cluster, so none can be purged for 90 days",
    ),
    "disk_key": Lever(worth="the same for nodes' disks and volumes", cost="another key and its requests"),
    "control_plane_logs": Lever(
        worth="what the control plane did is known afterwards; in critical every request, reads too",
        cost="Azure Monitor by the gigabyte; kube-audit is the largest by far",
    ),
    "log_days": Lever(worth="how far back one can look", cost="by the gigabyte, beyond the first 31 days"),
    "insights": Lever(
        worth="a zone without a ready node, a pod that does not start: seen here first",
        cost="managed Prometheus by samples, Container insights by the gigabyte",
    ),
    "backup": Lever(
        worth="AKS keeps etcd's snapshots to itself: what somebody deleted comes back from here alone",
        cost="Azure Backup by namespaces, and the snapshots of volumes",
    ),
    "run_command": Lever(
        worth="`az aks command invoke`: a way in without one into the network, for whoever may use it",
        cost="that way in: it is closed where the network is the fence",
    ),
}
"""What each lever of a scenario is worth and costs. The tier is in `components.managed.PLANES`: Premium adds support
for old versions, and no uptime."""

ALWAYS: Final[Mapping[str, Lever]] = {
    "availability zones of every pool": Lever(
        worth="without them a zone's loss takes all nodes along", cost="a node in each, and traffic between them"
    ),
    "Standard load balancer": Lever(
        worth="it spans the zones: what leaves the cluster survives the loss of one", cost="by the hour and by traffic"
    ),
    "API server in the stack's network": Lever(
        worth="nodes reach the API by an internal load balancer: no tunnel, no DNS, no internet between them",
        cost="a delegated subnet",
    ),
    "private endpoint": Lever(
        worth="the API has no address in the internet, unless kube-ha:loadBalancer.public says so, for named ranges",
        cost="a way into the network: VPN, ExpressRoute or a bastion",
    ),
    "Entra ID with Azure RBAC, local accounts off": Lever(
        worth="no shared administrator's certificate, which names nobody and cannot be taken from one person",
        cost="kubelogin beside kubectl",
    ),
    "upgrade channel and node images": Lever(
        worth="patches and a minor version behind the newest come by themselves; patches only where the stack names a "
        "version",
        cost="none",
    ),
    "maintenance windows": Lever(
        worth="upgrades on Tuesday, node images on Wednesday, 02:00 to 06:00 UTC, when somebody is there soon",
        cost="none",
    ),
    "surge upgrades": Lever(
        worth="a new node is ready before an old one is drained; one that cannot be drained is set aside",
        cost="one node of each pool for some minutes",
    ),
    "auto-repair": Lever(
        worth="AKS restarts, then remakes a node that is not ready for ten minutes; an alert says when that is no help",
        cost="none; there is no switch for it",
    ),
    "workload identity": Lever(worth="pods have permissions of their own, not their node's", cost="none"),
    "alerts": Lever(
        worth="the API server's CPU and memory, etcd's size and nodes are told to the subscription's owners",
        cost="cents for each",
    ),
    "deletion protection": Lever(worth="a destroy refuses before it takes the cluster along", cost="none"),
}
"""Pulled in every scenario."""
