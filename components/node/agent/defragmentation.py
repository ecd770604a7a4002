"""Gives etcd's free pages back, one member at a time, never the leader."""

import time
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from components.node.agent.cluster import EtcdCluster
from components.node.agent.hand_over import hand_over
from components.node.agent.step import Context
from components.node.etcd import client_url, metrics_url
from components.node.lock import ClusterLock, LockedError

CHECK_SECONDS: Final = 60.0

MINIMUM_BYTES: Final = 256 * 1024**2
"""Below this there is nothing worth a pause."""

USED_SHARE: Final = 0.5
"""A database that uses less than this share of its file is fragmented."""

LOCK_SECONDS: Final = 180.0
"""Longer than a defragmentation may take."""


@dataclass(frozen=True)
class Size:
    """What a member's metrics say about its database, and about itself."""

    file_bytes: float
    used_bytes: float
    leader: bool

    @property
    def fragmented(self) -> bool:
        """Whether defragmenting is worth it."""
        return self.file_bytes > MINIMUM_BYTES and self.used_bytes < self.file_bytes * USED_SHARE


class Defragmentation:
    """Looks at the size now and then, and acts."""

    def __init__(self) -> None:
        self._checked = time.monotonic()

    def tick(self, context: Context, cluster: EtcdCluster, lock: ClusterLock) -> None:
        """Called at every tick of a healthy member."""
        if time.monotonic() - self._checked < CHECK_SECONDS:
            return
        self._checked = time.monotonic()
        own = size_at(context.machine.address)
        context.metrics.set("etcd_database_bytes", own.file_bytes)
        context.metrics.set("etcd_database_used_bytes", own.used_bytes)
        if own.fragmented:
            self._defragment(context, cluster, lock)

    @staticmethod
    def _defragment(context: Context, cluster: EtcdCluster, lock: ClusterLock) -> None:
        endpoint = client_url(context.machine.address)
        try:
            with lock.hold("defragmentation", LOCK_SECONDS):
                if size_at(context.machine.address).leader:
                    others = [member.address for member in context.machine.etcd.members if member != cluster.me]
                    if any(size_at(address).fragmented for address in others):
                        return
                    context.log("etcd", f"before its defragmentation: {hand_over(cluster.etcdctl, endpoint)}")
                context.log("etcd", "defragmenting")
                cluster.etcdctl.defragment(endpoint)
        except LockedError:
            return


def size_at(address: str) -> Size:
    """The size of the database of the member at `address`; nothing in use where it does not answer."""
    try:
        with urllib.request.urlopen(metrics_url(address, "/metrics"), timeout=2) as answer:  # noqa: S310
            return parse(answer.read().decode().splitlines())
    except OSError:
        return Size(0, 0, leader=False)


def parse(lines: Iterable[str]) -> Size:
    """Read the three gauges out of etcd's metrics."""
    wanted = {
        "etcd_mvcc_db_total_size_in_bytes": 0.0,
        "etcd_mvcc_db_total_size_in_use_in_bytes": 0.0,
        "etcd_server_is_leader": 0.0,
    }
    for line in lines:
        name, _, value = line.partition(" ")
        if name in wanted:
            wanted[name] = float(value)
    file_bytes, used_bytes, leader = wanted.values()
    return Size(file_bytes, used_bytes, leader=bool(leader))
