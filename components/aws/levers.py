"""What EKS offers for availability, and what each scenario takes of it. Pure.

The control plane's own tier is in `components.managed.PLANES`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from components.managed import Lever
from components.scenarios import Scenario, Tier


@dataclass(frozen=True, kw_only=True)
class Levers:
    """What a scenario pulls. A field is a lever, and a key of `WORTH`."""

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
    "node_type": Lever(
        worth="m7a keeps its processors for itself; t3a gets slow when its credits are spent, and costs less",
        cost="m7a about half more than t3a of the same size",
    ),
}
"""What each lever of a scenario is worth and costs. The tier is in `components.managed.PLANES`."""

ALWAYS: Final[Mapping[str, Lever]] = {
    "control plane over the subnets of every zone": Lever(
        worth="nodes reach the API in their own zone, and another zone's when that is lost", cost="none"
    ),
    "private endpoint": Lever(
        worth="the API has no address in the internet, unless kube-ha:loadBalancer.public says so, for named ranges",
        cost="a way into the network: VPN, Direct Connect or a peering",
    ),
    "all five logs": Lever(
        worth="what the control plane did is known afterwards", cost="CloudWatch Logs by the gigabyte; audit is most"
    ),
    "secrets under a key of your own": Lever(
        worth="a copy of the cluster's database is worth nothing without a key that you can revoke",
        cost="a key of KMS and its requests; a lost key is a lost cluster",
    ),
    "access entries": Lever(
        worth="who may do what is in IAM and EKS' own API; no ConfigMap that one bad edit turns into a lock-out",
        cost="none",
    ),
    "managed nodes over the zones, repaired": Lever(
        worth="a broken node is replaced, also for what the kubelet does not see; one at a time is changed",
        cost="a machine in each zone, or as many as `nodes.perZone` says, and traffic between zones",
    ),
    "spread add-ons": Lever(
        worth="CoreDNS has a pod in each zone and a disruption budget: no drain and no zone's loss takes names away",
        cost="a pod in each zone",
    ),
    "alarms": Lever(
        worth="silence, errors, a full etcd and pods that find no node are told to one topic", cost="cents for each"
    ),
    "DNS failover": Lever(
        worth="where `dns.failover` asks for it: a public name of the workloads moves to another cluster 60 s after "
        "this one stops answering (3 checks of 10 s, TTL 30 s), a private one after 90 s (alarm of 60 s, TTL 30 s) and "
        "the time in which CloudWatch gets its data",
        cost="a second cluster, and a health check",
    ),
}
"""Pulled in every scenario."""
