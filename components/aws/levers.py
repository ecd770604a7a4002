"""What EKS offers for availability, and what each scenario takes of it. Pure.

The control plane's own tier is in `components.managed.PLANES`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from components.managed import Lever
from components.topology import Scenario, Tier


@dataclass(frozen=True, kw_only=True)
class Levers:
    """How they are set. Without a field, because every scenario pulls them: control plane over the subnets of all
    zones, private endpoint, all five logs, envelope encryption, access entries, node auto repair, spread add-ons."""

    zonal_shift: bool
    support: str
    """STANDARD: AWS upgrades a version when its 14 months are over; EXTENDED: after 12 months more."""
    deletion_protection: bool
    private_endpoints: bool
    """Of the services that nodes call, in every zone; and a NAT gateway in every zone."""
    container_insights: bool
    log_days: int
    backups: tuple[Tier, ...]
    """AWS Backup takes one an hour at most."""
    backups_locked: bool
    """Against deletion before their time."""
    node_type: str


HOURLY: Final = Tier(timedelta(hours=1), timedelta(days=7))


def daily(days: int) -> Tier:
    """One a day."""
    return Tier(timedelta(days=1), timedelta(days=days))


LEVERS: Final[Mapping[Scenario, Levers]] = {
    Scenario.DEVELOPMENT: Levers(
        zonal_shift=False,
        support="STANDARD",
        deletion_protection=False,
        private_endpoints=False,
        container_insights=False,
        log_days=7,
        backups=(daily(7),),
        backups_locked=False,
        node_type="t3a.large",
    ),
    Scenario.PRODUCTION: Levers(
        zonal_shift=True,
        support="STANDARD",
        deletion_protection=True,
        private_endpoints=True,
        container_insights=True,
        log_days=30,
        backups=(HOURLY, daily(30)),
        backups_locked=False,
        node_type="m7a.large",
    ),
    Scenario.CRITICAL: Levers(
        zonal_shift=True,
        support="EXTENDED",
        deletion_protection=True,
        private_endpoints=True,
        container_insights=True,
        log_days=90,
        backups=(HOURLY, daily(90)),
        backups_locked=True,
        node_type="m7a.large",
    ),
}

WORTH: Final[Mapping[str, Lever]] = {
    "tier": Lever(
        worth="capacity of the API that is there before the load comes; AWS agrees to 99.99 % instead of 99.95 %",
        cost="a price per hour of its own, many times that of the standard control plane",
    ),
    "zonal_shift": Lever(
        worth="a zone that is half broken can be taken out of the cluster's traffic with one command",
        cost="nothing; the other zones must have room for the pods",
    ),
    "support": Lever(
        worth="a year more before AWS upgrades a version that nobody upgraded",
        cost="an hourly surcharge, from the end of standard support on",
    ),
    "deletion_protection": Lever(worth="no single command deletes the cluster with all its objects", cost="nothing"),
    "private_endpoints": Lever(
        worth="nodes start and pull AWS's images while the way to the internet is cut; a zone's loss takes no other's",
        cost="12 interface endpoints and one NAT gateway for each zone, by the hour and by the gigabyte",
    ),
    "container_insights": Lever(
        worth="failed nodes raise an alarm, pods and nodes have graphs", cost="CloudWatch metrics, by the observation"
    ),
    "log_days": Lever(worth="what the control plane did can be read afterwards", cost="log ingestion and storage"),
    "backups": Lever(
        worth="objects and volumes come back after a deletion or a bad change; at most the interval is lost",
        cost="AWS Backup's storage, by the gigabyte-month, and snapshots of volumes",
    ),
    "backups_locked": Lever(
        worth="who takes over the account's backup role cannot delete the past",
        cost="nothing; a copy cannot be freed before its time",
    ),
    "nodes": Lever(
        worth="a node that is broken is replaced; the loss of a zone leaves two thirds of them",
        cost="one machine in each zone, or as many as `nodes.perZone` says",
    ),
}
"""What each lever is worth and costs, by its name here and in the README."""
