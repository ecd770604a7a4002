"""What GKE offers for availability, and what each scenario takes of it. Pure: no SDK.

docs/levers.md has `LEVERS` with `WORTH` beside it, and `ALWAYS`; the tier itself (zonal or regional) and
Google's agreement are in `components/managed.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from components.managed import Lever
from components.scenarios import Scenario


@dataclass(frozen=True, kw_only=True)
class BackupTier:
    """A plan of Backup for GKE: how often, and for how long."""

    name: str
    every: timedelta
    keep: timedelta
    """At most 360 times `every`: Google refuses more (gkebackup v1, RetentionPolicy.backupRetainDays)."""
    locked: bool = False
    """Whether a backup can be deleted before `keep` has passed, by anybody."""
    far: bool = False
    """Whether backups are kept in another region."""


@dataclass(frozen=True, kw_only=True)
class Levers:
    """What a scenario pulls. A field is a lever, and a key of `WORTH`."""

    release_channel: str
    minor_upgrades_by_hand: bool
    upgrade_interval: timedelta | None
    """Least time between two minor upgrades of the control plane; patches wait a quarter of it."""
    control_plane_logs: tuple[str, ...]
    control_plane_metrics: tuple[str, ...]
    global_access: bool
    cluster_dns: bool
    disks_under_own_key: bool
    system_nodes: bool
    machine_type: str
    spot: bool
    flow_logs: bool
    deletion_protection: bool
    backups: tuple[BackupTier, ...]


SYSTEM: Final = ("SYSTEM_COMPONENTS", "APISERVER")
CONTROL_PLANE: Final = (*SYSTEM, "SCHEDULER", "CONTROLLER_MANAGER")
WORKLOADS: Final = ("STORAGE", "POD", "DAEMONSET", "DEPLOYMENT", "STATEFULSET", "HPA")

LEVERS: Final[Mapping[Scenario, Levers]] = {
    Scenario.DEVELOPMENT: Levers(
        release_channel="REGULAR",
        minor_upgrades_by_hand=False,
        upgrade_interval=None,
        control_plane_logs=SYSTEM,
        control_plane_metrics=SYSTEM,
        global_access=False,
        cluster_dns=False,
        disks_under_own_key=False,
        system_nodes=False,
        machine_type="e2-standard-2",
        spot=True,
        flow_logs=False,
        deletion_protection=False,
        backups=(BackupTier(name="daily", every=timedelta(days=1), keep=timedelta(days=7)),),
    ),
    Scenario.PRODUCTION: Levers(
        release_channel="REGULAR",
        minor_upgrades_by_hand=False,
        upgrade_interval=timedelta(days=30),
        control_plane_logs=(*CONTROL_PLANE, "WORKLOADS"),
        control_plane_metrics=(*CONTROL_PLANE, *WORKLOADS),
        global_access=False,
        cluster_dns=True,
        disks_under_own_key=True,
        system_nodes=False,
        machine_type="e2-standard-4",
        spot=False,
        flow_logs=True,
        deletion_protection=True,
        backups=(BackupTier(name="near", every=timedelta(hours=6), keep=timedelta(days=30)),),
    ),
    Scenario.CRITICAL: Levers(
        release_channel="STABLE",
        minor_upgrades_by_hand=True,
        upgrade_interval=timedelta(days=30),
        control_plane_logs=(*CONTROL_PLANE, "WORKLOADS"),
        control_plane_metrics=(*CONTROL_PLANE, *WORKLOADS),
        global_access=True,
        cluster_dns=True,
        disks_under_own_key=True,
        system_nodes=True,
        machine_type="n2d-standard-4",
        spot=False,
        flow_logs=True,
        deletion_protection=True,
        backups=(
            BackupTier(name="near", every=timedelta(hours=1), keep=timedelta(days=14), locked=True),
            BackupTier(name="far", every=timedelta(days=1), keep=timedelta(days=90), locked=True, far=True),
        ),
    ),
}

WORTH: Final[Mapping[str, Lever]] = {
    "release_channel": Lever(
        worth="upgrades that others ran for weeks first: STABLE is two to three months behind REGULAR",
        cost="none; fixes come later too",
    ),
    "minor_upgrades_by_hand": Lever(
        worth="no API is removed on a night that nobody chose; patches still come by themselves",
        cost="somebody must upgrade before the version's support ends",
    ),
    "upgrade_interval": Lever(
        worth="two changes of the control plane are apart enough to see which one broke something", cost="none"
    ),
    "control_plane_logs": Lever(
        worth="what the API server, scheduler and controllers did is known afterwards",
        cost="Cloud Logging by volume; the API server's are the largest",
    ),
    "control_plane_metrics": Lever(
        worth="the alarms on errors, latency, and pods that find no node; without them only silence is noticed",
        cost="Cloud Monitoring by samples",
    ),
    "global_access": Lever(
        worth="clients of another region still reach the API when they are moved there",
        cost="traffic between regions",
    ),
    "cluster_dns": Lever(
        worth="names resolve by Cloud DNS and a cache on each node, not by pods that die with a zone",
        cost="Cloud DNS by queries",
    ),
    "disks_under_own_key": Lever(
        worth="a copy of a node's disk is worth nothing without a key that you can revoke",
        cost="a key of Cloud KMS, and its use",
    ),
    "system_nodes": Lever(
        worth="workloads cannot starve DNS, metrics and the agents of the network",
        cost="one node more per zone",
    ),
    "machine_type": Lever(
        worth="n2d keeps its processors for itself; e2 shares them, which is felt under load",
        cost="n2d about a quarter more than e2 of the same size",
    ),
    "spot": Lever(
        worth="no availability: it is what development saves by", cost="60 to 91 % less; a node may go any time"
    ),
    "flow_logs": Lever(
        worth="who talked to whom, after an incident", cost="Cloud Logging by volume, sampled at one half"
    ),
    "deletion_protection": Lever(
        worth="neither a destroy nor a replacement takes the cluster along by mistake",
        cost="to remove the stack, delete the cluster by hand first",
    ),
    "backups": Lever(
        worth="objects and volumes come back after a mistake, an attack or, from another region, the region's loss",
        cost="Backup for GKE by pods and by volume stored; locked backups cannot be deleted to save",
    ),
}

ALWAYS: Final[Mapping[str, Lever]] = {
    "private nodes": Lever(worth="no node is one firewall rule away from the internet", cost="Cloud NAT"),
    "private endpoint": Lever(
        worth="the API has an address in the stack's own network (Private Service Connect) and none in the internet, "
        "unless kube-ha:loadBalancer.public says so",
        cost="a way into the network: VPN, interconnect or a bastion",
    ),
    "authorised networks": Lever(worth="who may even connect is named, on the private endpoint too", cost="none"),
    "secrets under a key of your own": Lever(
        worth="a copy of the cluster's database is worth nothing without a key that you can revoke",
        cost="a key of Cloud KMS; without the key the API stops",
    ),
    "shielded nodes": Lever(worth="a node that booted something else does not join", cost="none"),
    "auto-repair": Lever(worth="a node that is not ready for ten minutes is made anew", cost="none"),
    "surge upgrades": Lever(
        worth="a new node is ready before an old one is drained: capacity never falls", cost="one node for some minutes"
    ),
    "maintenance window": Lever(worth="automatic upgrades run at the week-end, 00:00 to 06:00 UTC", cost="none"),
    "workload identity": Lever(worth="pods have permissions of their own, not their node's", cost="none"),
    "Dataplane V2": Lever(worth="network policies are enforced, without another add-on", cost="none"),
    "alarms": Lever(worth="errors, latency, silence, missing nodes and failed backups are told", cost="none"),
}
"""Pulled in every scenario."""
