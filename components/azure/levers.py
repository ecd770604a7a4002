"""What AKS offers for availability, and what each scenario pulls of it. Pure; the README's table of AKS is `TABLE`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from components.clouds import Cloud
from components.managed import PLANES, Lever
from components.topology import Scenario


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
    """What differs between scenarios; everything else of `TABLE` is the same in all."""

    own_system_pool: bool
    """Whether system pods have nodes of their own, and workloads a pool in each zone."""
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
        etcd_key=True,
        disk_key=True,
        control_plane_logs=(*COMPONENT_LOGS, "kube-audit"),
        log_days=90,
        insights=True,
        backup=BackupPlan(every_hours=4, keep_days=90, soft_delete="AlwaysOn", soft_delete_days=90),
        run_command=False,
    ),
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line of the README's table."""

    name: str
    lever: Lever
    pulled: Callable[[Scenario], str]
    """What a scenario has of it, in words."""


def same(text: str) -> Callable[[Scenario], str]:
    return lambda _: text


def yes(pulled: Callable[[Levers], bool]) -> Callable[[Scenario], str]:
    return lambda scenario: "yes" if pulled(LEVERS[scenario]) else "no"


def backup(scenario: Scenario) -> str:
    plan = LEVERS[scenario].backup
    return f"every {plan.every_hours} h, kept {plan.keep_days} days" if plan else "none"


def logs(scenario: Scenario) -> str:
    levers = LEVERS[scenario]
    if not levers.control_plane_logs:
        return "none"
    audit = "every request" if "kube-audit" in levers.control_plane_logs else "changes"
    return f"components and {audit}, {levers.log_days} days"


TABLE: Final = (
    Row(
        name="pricing tier",
        lever=Lever(
            worth="Free has no agreement on uptime and is throttled beyond a few nodes; Premium adds support for old "
            "versions, not uptime",
            cost="an hourly fee per cluster; Free has none",
        ),
        pulled=lambda scenario: PLANES[Cloud.AZURE][scenario].tier,
    ),
    Row(
        name="zones of every node pool",
        lever=Lever(
            worth="without them a zone's loss takes all nodes along, and the control plane's replicas may share a zone",
            cost="traffic between zones; a node in each at least",
        ),
        pulled=lambda scenario: str(PLANES[Cloud.AZURE][scenario].zones),
    ),
    Row(
        name="system pool of its own",
        lever=Lever(
            worth="a workload that eats its node's memory takes DNS and metrics with it otherwise",
            cost="a node in each zone",
        ),
        pulled=yes(lambda levers: levers.own_system_pool),
    ),
    Row(
        name="Standard load balancer, zone-redundant",
        lever=Lever(worth="Basic is gone, and had no zones", cost="an hourly fee and traffic"),
        pulled=same("yes"),
    ),
    Row(
        name="API server in the stack's network, private",
        lever=Lever(
            worth="nodes reach the API by an internal load balancer, over no tunnel, no DNS and no internet, and so "
            "does nobody from outside; public only for the ranges that the stack names",
            cost="a delegated subnet; who administers it needs a way into the network",
        ),
        pulled=same("yes"),
    ),
    Row(
        name="run command",
        lever=Lever(
            worth="a way in without one into the network, by whoever may do it in the subscription",
            cost="that way in: it is closed where the network is the fence",
        ),
        pulled=yes(lambda levers: levers.run_command),
    ),
    Row(
        name="Entra ID with Azure RBAC, local accounts off",
        lever=Lever(
            worth="the shared administrator's certificate names nobody and cannot be revoked for one person",
            cost="kubelogin beside kubectl",
        ),
        pulled=same("yes"),
    ),
    Row(
        name="key of its own for Secrets in etcd",
        lever=Lever(
            worth="who steals a copy of etcd has every Secret in clear text",
            cost="a key vault and its requests; a lost key is a lost cluster, so none can be purged for 90 days",
        ),
        pulled=yes(lambda levers: levers.etcd_key),
    ),
    Row(
        name="key of its own for disks",
        lever=Lever(worth="the same for nodes' disks and volumes", cost="another key and its requests"),
        pulled=yes(lambda levers: levers.disk_key),
    ),
    Row(
        name="automatic upgrades in a weekly window, node images too",
        lever=Lever(
            worth="a version that nobody upgrades is upgraded when its support ends, at the cloud's own time",
            cost="one more node of each pool for as long as an upgrade takes",
        ),
        pulled=same("stable; patch where the stack names a version"),
    ),
    Row(
        name="node auto-repair, and an alert when it does not help",
        lever=Lever(
            worth="AKS restarts, then remakes a node that is not ready for ten minutes; there is no switch for it",
            cost="none; the alert costs cents",
        ),
        pulled=same("yes"),
    ),
    Row(
        name="workload identity",
        lever=Lever(worth="pods without it carry secrets that expire, or leak", cost="none"),
        pulled=same("yes"),
    ),
    Row(
        name="logs of the control plane",
        lever=Lever(worth="what it did is only known if it was kept while it did it", cost="per GB that comes in"),
        pulled=logs,
    ),
    Row(
        name="managed Prometheus and Container insights",
        lever=Lever(
            worth="a zone without a ready node, a pod that does not start: seen here first",
            cost="per sample and per GB that comes in",
        ),
        pulled=yes(lambda levers: levers.insights),
    ),
    Row(
        name="alerts on the API server, etcd's size and nodes, told to the subscription's owners",
        lever=Lever(worth="high availability hides the first failure", cost="cents for each"),
        pulled=same("yes"),
    ),
    Row(
        name="Azure Backup of objects and volumes",
        lever=Lever(
            worth="AKS keeps etcd's snapshots to itself: what somebody deleted comes back from here alone",
            cost="per protected namespace, and the disks' snapshots",
        ),
        pulled=backup,
    ),
)
