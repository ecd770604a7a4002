"""The step `etcd`: this machine's member, brought into the cluster and looked after."""

import sys
import time
from typing import Final

from components.node.agent.cloud import CloudError
from components.node.agent.cluster import EtcdCluster, answers
from components.node.agent.defragmentation import Defragmentation
from components.node.agent.etcdctl import EtcdctlError
from components.node.agent.folders import Folders
from components.node.agent.joining import Joining
from components.node.agent.secrets import me
from components.node.agent.step import Context, NotYetError, Step
from components.node.etcd import UNIT, Files, metrics_url
from components.node.lock import LockedError, LockLostError
from components.node.machine import Machine
from components.node.membership import Action, decide
from components.node.record import peer_url

RECONSIDER_SECONDS: Final = 10.0
"""Unhealthy for this long, a member asks whether it is still one; an election lasts a second or two."""

ORDERS_SECONDS: Final = 30.0
"""How often a healthy member looks for a restore order."""


class Etcd(Step):
    """Settles the membership, starts etcd, promotes, defragments, obeys restore orders."""

    name = "etcd"

    def __init__(self) -> None:
        self._formed = False
        self._unwell_since: float | None = None
        self._orders_read = 0.0
        self._defragmentation = Defragmentation()

    def applies(self, machine: Machine) -> bool:
        return machine.carries_member

    def run(self, context: Context) -> None:
        joining(context).settle()
        self._unwell_since = None
        self._orders_read = time.monotonic()

    def tick(self, context: Context) -> str | None:
        healthy = answers(metrics_url(context.machine.address, "/health"), timeout=1.5)
        context.metrics.set("etcd_healthy", healthy)
        try:
            return self._well(context) if healthy else self._unwell(context)
        except (NotYetError, EtcdctlError, CloudError, LockedError, LockLostError) as error:
            return None if healthy else str(error)

    def leave(self, context: Context) -> None:
        # The unit's own stop gives leadership away first.
        context.services.stop(UNIT)

    def _well(self, context: Context) -> str | None:
        self._unwell_since = None
        if not self._formed:
            self._formed = joining(context).finish_forming()
        if time.monotonic() - self._orders_read > ORDERS_SECONDS:
            self._orders_read = time.monotonic()
            self._reconsider(context)
        self._defragmentation.tick(context, cluster(context), context.lock)
        return None

    def _unwell(self, context: Context) -> str:
        now = time.monotonic()
        if not context.services.active(UNIT):
            self.run(context)
            return "etcd was not running and was started"
        if self._unwell_since is None:
            self._unwell_since = now
        elif now - self._unwell_since > RECONSIDER_SECONDS:
            self._unwell_since = now
            self._reconsider(context)
            joining(context).promote_if_learner()
        return "etcd does not answer as a member of a quorum"

    def _reconsider(self, context: Context) -> None:
        """Whether this member's data is still what it should be: not after a removal, or a restore order."""
        way = joining(context)
        if decide(way.observe()).action in {Action.RESTORE, Action.SET_ASIDE}:
            way.settle()


def cluster(context: Context) -> EtcdCluster:
    """etcd as this machine reaches it."""
    paths = context.paths
    return EtcdCluster(
        me=me(context.machine),
        etcd=context.machine.etcd,
        files=Files(paths.etcd_configuration),
        folders=Folders(paths.etcd_volume),
        volume=paths.etcd_volume,
        binaries=paths.binaries,
        services=context.services,
        cloud=context.cloud,
        hand_over=hand_over_command(context),
    )


def joining(context: Context) -> Joining:
    """This member's way into the cluster."""
    machine = context.machine
    return Joining(
        uid=machine.uid,
        member=machine.name,
        peer_url=peer_url(machine.address),
        initial={member.name: peer_url(member.address) for member in machine.etcd.members},
        store=context.cloud,
        disk=Folders(context.paths.etcd_volume),
        cluster=cluster(context),
        lock=context.lock,
        log=lambda event: context.log.changed("etcd", event),
    )


def hand_over_command(context: Context) -> str:
    """What the unit runs before it stops etcd; alone, it needs nothing but the standard library."""
    source = next(path for path in sys.path if path and _is_source(path))
    binary, files = context.paths.binaries / "etcdctl", Files(context.paths.etcd_configuration)
    return (
        f"/usr/bin/env PYTHONPATH={source} {sys.executable} -m components.node.agent.hand_over {binary} {files.folder}"
    )


def _is_source(path: str) -> bool:
    return __file__.startswith(f"{path.rstrip('/')}/components/")
