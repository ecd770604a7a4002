"""The step `etcd`: this machine's member, brought into the cluster and looked after."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from components.node.agent.cloud import CloudError
from components.node.agent.cluster import SERVING, EtcdCluster, SnapshotError, answers
from components.node.agent.defragmentation import Defragmentation
from components.node.agent.etcdctl import EtcdctlError
from components.node.agent.folders import Folders
from components.node.agent.joining import Joining
from components.node.agent.repair import Repair
from components.node.agent.restore import MemberRestore
from components.node.agent.rolling import PURPOSE as REPLACEMENT
from components.node.agent.secrets import me
from components.node.agent.standalone import command
from components.node.agent.step import Context, NotYetError, Step
from components.node.agent.take_snapshot import before_change
from components.node.etcd import UNIT, Files, metrics_url
from components.node.lock import LockedError, LockLostError
from components.node.machine import Machine
from components.node.membership import Action, Situation, decide
from components.node.record import RestoreOrder, peer_url

RECONSIDER_SECONDS: Final = 10.0
"""Unhealthy for this long, a member asks whether it is still one; an election lasts a second or two."""

REVIEW_SECONDS: Final = 30.0
"""How often a healthy member asks whether it is still one: it may have been removed, or never promoted."""


class Etcd(Step):
    """Settles the membership, starts etcd, promotes, repairs, defragments, obeys restore orders."""

    name = "etcd"

    def __init__(self) -> None:
        self._formed = self._forgot = False
        self._unwell_since: float | None = None
        self._reviewed = 0.0
        self._restore = MemberRestore()
        self._repair = Repair(self._way)
        self._defragmentation = Defragmentation()

    def applies(self, machine: Machine) -> bool:
        return machine.carries_member

    def run(self, context: Context) -> None:
        self._forget(context)
        self._settle(context)
        self._reviewed = time.monotonic()
        self._await_generation(context)

    def tick(self, context: Context) -> str | None:
        self._forget(context)
        try:
            # First: where others have gone on to what is ordered no quorum is left here, and asking for it takes time.
            self._obey(context)
            if _healthy(context):
                return self._well(context)
            if answers(metrics_url(context.machine.address, SERVING), timeout=1.5):
                return self._alarmed(context)
            return self._unwell(context)
        except (NotYetError, EtcdctlError, CloudError, LockedError, LockLostError) as error:
            # Asked anew: what failed may have stopped etcd, or taken long.
            return None if _healthy(context) else str(error)

    def leave(self, context: Context) -> None:
        # The unit's own stop gives leadership away first.
        context.services.stop(UNIT)

    def _forget(self, context: Context) -> None:
        """When the store answers, what was not freed because it did not, and once: whoever held the cluster's lock as
        this machine ended in the middle of it, unless this machine is what it was held for.
        """
        if not self._forgot or context.lock.left_behind:
            with suppress(CloudError):
                context.lock.forget(REPLACEMENT)
                self._forgot = True

    def _well(self, context: Context) -> str | None:
        self._unwell_since = None
        if not self._formed:
            self._formed = self._way(context).finish_forming()
        if time.monotonic() - self._reviewed > REVIEW_SECONDS:
            self._reviewed = time.monotonic()
            self._reconsider(context)
            # A learner is as healthy as a voter; one whose join was cut short would stay one.
            self._way(context).promote_if_learner()
        self._defragmentation.tick(context, cluster(context), context.lock)
        return None

    def _alarmed(self, context: Context) -> str:
        self._unwell_since = None
        return self._repair.alarms(context, cluster(context))

    def _unwell(self, context: Context) -> str:
        now = time.monotonic()
        if self._unwell_since is None:
            self._unwell_since = now
        elif now - self._unwell_since > RECONSIDER_SECONDS:
            self._unwell_since = now
            self._repair.crashed(context, cluster(context))
            self._reconsider(context)
            self._way(context).promote_if_learner()
        if not context.services.active(UNIT):
            self.run(context)
            return "etcd was not running and was started"
        return "etcd does not answer as a member of a quorum"

    def _obey(self, context: Context) -> None:
        """Carry out a restore order, and say when what it ordered serves."""
        order = self._restore.orders.current(context)
        if order is None:
            return
        generation = _generation(context)
        if generation < order.generation:
            self._reconsider(context)
        else:
            self._restore.finish(context, cluster(context).etcdctl, generation)

    def _await_generation(self, context: Context) -> None:
        """A generation that was just restored serves nobody before its quorum has been tidied."""
        self._obey(context)
        if (progress := self._restore.orders.unfinished(context)) is not None:
            raise NotYetError(f"generation {progress.order.generation}: {progress.stage()}")

    def _reconsider(self, context: Context) -> None:
        """Whether this member's data is still what it should be: not after a removal, a restore order, or a wipe."""
        now = self._way(context).observe()
        action = decide(now).action
        if action in {Action.RESTORE, Action.SET_ASIDE}:
            self._settle(context, now)
        elif action in {Action.REPLACE, Action.JOIN}:
            self._repair.emptied(context, cluster(context))

    def _settle(self, context: Context, known: Situation | None = None) -> None:
        try:
            self._way(context).settle(known)
        except SnapshotError as error:
            self._restore.failed(context, error.order, str(error))
            raise NotYetError(str(error)) from None

    def _way(self, context: Context) -> Joining:
        return joining(context, self._restore.consent(context, cluster(context).etcdctl))


def _healthy(context: Context) -> bool:
    healthy = answers(metrics_url(context.machine.address, "/health"), timeout=1.5)
    context.metrics.set("etcd_healthy", healthy)
    return healthy


def _generation(context: Context) -> int:
    found = Folders(context.paths.etcd_volume).data(context.machine.uid)
    return found.generation if found is not None and found.uid == context.machine.uid else 0


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
        hand_over=command("hand_over", paths.binaries / "etcdctl", paths.etcd_configuration),
    )


def joining(context: Context, consent: Callable[[RestoreOrder], None] = lambda order: None) -> Joining:
    """This member's way into the cluster; `consent` as `Joining` has it."""
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
        consent=consent,
        before_change=lambda: before_change(context, [member.address for member in machine.etcd.members]),
    )
