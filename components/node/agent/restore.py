"""Restore orders on a machine: members wait for the old history's end, masters stop while etcd becomes another one."""

import os
import signal
import time
from collections.abc import Callable
from typing import Final

from components.node import kubelet
from components.node.agent.cloud import Cloud, CloudError, ConflictError, NotFoundError
from components.node.agent.cluster import SERVING, answers
from components.node.agent.etcdctl import Etcdctl, EtcdctlError
from components.node.agent.files import write
from components.node.agent.static_pods import API_SERVER, ELECTED, MANIFESTS, processes, terminate
from components.node.agent.step import Context, NotYetError, Step
from components.node.etcd import client_url, metrics_url
from components.node.machine import Machine, Role
from components.node.record import Keys, RestoreOrder, Stored
from components.node.restore import STOP_SECONDS, Ended, Finished, Preparation, Progress, RestoreKeys

ORDER_SECONDS: Final = 3.0
"""How often a machine looks for an order: one small read."""

ASIDE: Final = "etc/kubernetes/manifests-aside"

MASTER_LEASES: Final = "/registry/masterleases/"
"""Which API servers live: the endpoints of the service `kubernetes`. A snapshot's are of another time."""

QUIET_SECONDS: Final = 1.0
"""The kubelet may start what it has not been told to leave once more: gone for this long is gone."""

GONE_SECONDS: Final = 20.0


class Orders:
    """The order in the object store, as one machine knows it."""

    def __init__(self) -> None:
        self._order: RestoreOrder | None = None
        self._read = float("-inf")
        self._finished = 0

    def current(self, context: Context) -> RestoreOrder | None:
        """The order that holds. Asked at most every `ORDER_SECONDS`; raises `CloudError`."""
        now = time.monotonic()
        if now - self._read >= ORDER_SECONDS:
            self._order = read_order(context.cloud, context.machine.uid)
            self._read = now
        return self._order

    def unfinished(self, context: Context) -> Progress | None:
        """How far the order is that holds and is not finished yet; None where there is none."""
        order = self.current(context)
        if order is None or order.generation <= self._finished:
            return None
        progress = read_progress(context.cloud, context.machine.uid, order)
        if progress.finished:
            self._finished = order.generation
            return None
        return progress


class MemberRestore:
    """A member's part in it."""

    def __init__(self) -> None:
        self.orders = Orders()
        self._prepared_since: dict[int, float] = {}

    def consent(self, context: Context, etcdctl: Etcdctl) -> Callable[[RestoreOrder], None]:
        """`joining.Joining.consent` of this machine."""
        return lambda order: self._consent(context, etcdctl, order)

    def failed(self, context: Context, order: RestoreOrder, why: str) -> None:
        """Say that this member cannot; when no majority can, nobody has to any more."""
        say(context.cloud, RestoreKeys(context.machine.uid, order.generation).prepared(context.machine.name),
            Preparation(error=why))  # fmt: skip
        if read_progress(context.cloud, context.machine.uid, order).is_impossible:
            withdraw(context.cloud, context.machine.uid, order, why)
            context.log("etcd", f"the restore to generation {order.generation} is withdrawn: {why}")

    def finish(self, context: Context, etcdctl: Etcdctl, generation: int) -> None:
        """Once etcd answers with a quorum on this member's data, which is of `generation`: let the masters go on."""
        progress = self.orders.unfinished(context)
        if progress is None or progress.order.generation != generation:
            return
        if not answers(metrics_url(context.machine.address, SERVING), timeout=1.5):
            return
        etcdctl.delete_prefix((client_url(context.machine.address),), MASTER_LEASES)
        keys = RestoreKeys(context.machine.uid, generation)
        say(context.cloud, keys.finished, Finished(member=context.machine.name))
        context.log("etcd", f"generation {generation} serves: restored from {progress.order.snapshot}")

    def _consent(self, context: Context, etcdctl: Etcdctl, order: RestoreOrder) -> None:
        uid, member = context.machine.uid, context.machine.name
        keys = RestoreKeys(uid, order.generation)
        say(context.cloud, keys.prepared(member), Preparation())
        progress = read_progress(context.cloud, uid, order)
        if not progress.is_prepared:
            raise NotYetError(progress.stage())
        since = self._prepared_since.setdefault(order.generation, time.monotonic())
        if progress.running_masters and not progress.left and time.monotonic() - since < STOP_SECONDS:
            raise NotYetError(progress.stage())
        say(context.cloud, keys.left(member), Ended(revision=_revision(etcdctl, context.machine.address)))


class Restore(Step):
    """A master's part: no API server writes into a history that is about to end, nor caches one that has ended."""

    name = "restore"

    def __init__(self) -> None:
        self._orders = Orders()
        self._served = 0

    def applies(self, machine: Machine) -> bool:
        return machine.role is Role.MASTER

    def run(self, context: Context) -> None:
        message = self.tick(context)
        # Where etcd is on this machine, the steps that follow carry the restore out.
        if message is not None and not context.machine.carries_member:
            raise NotYetError(message)

    def tick(self, context: Context) -> str | None:
        try:
            progress = self._orders.unfinished(context)
            order = self._orders.current(context)
        except CloudError:
            # Nothing may be concluded; what is stopped stays so.
            return "the control plane is stopped for a restore" if _aside(context) else None
        if progress is None:
            self._go_on(context, order.generation if order else 0)
            return None
        if not progress.is_prepared:
            # A master that serves goes on; one that boots waits, for an etcd without a quorum or for one that ends.
            return None
        generation, machine = progress.order.generation, context.machine
        if not _aside(context) or processes(API_SERVER):
            stop(context)
            context.log(self.name, f"control plane stopped for generation {generation}")
        say(context.cloud, RestoreKeys(machine.uid, generation).stopped(machine.name))
        return f"generation {generation}: {progress.stage()}"

    def _go_on(self, context: Context, generation: int) -> None:
        """Start what was stopped; restart what ran through it, cut off from the object store."""
        mark = context.paths.state / "restored-generation"
        served = int(mark.read_text()) if mark.is_file() else 0
        if not _aside(context) and served >= generation:
            return
        # In memory as well: where the disk is full the mark is tried again and again, and the restart must not be.
        if not _aside(context) and self._served < generation and processes(API_SERVER):
            stop(context)
        if _aside(context):
            start(context)
            context.log(self.name, f"control plane started on generation {generation or 'as before'}")
        self._served = generation
        write(mark, str(generation).encode())


def stop(context: Context) -> None:
    """End the control plane at once: what is acknowledged from here on would be lost.

    Raises:
        NotYetError: it is still there.
    """
    aside = context.paths.root / ASIDE
    aside.mkdir(parents=True, exist_ok=True)
    for manifest in (context.paths.root / MANIFESTS).glob("*.yaml"):
        manifest.rename(aside / manifest.name)
    for component in ELECTED:
        terminate(component)
    begun = seen = time.monotonic()
    while time.monotonic() - seen < QUIET_SECONDS:
        for process in processes(API_SERVER):
            seen = time.monotonic()
            _kill(process)
        if time.monotonic() - begun > GONE_SECONDS:
            raise NotYetError(f"{API_SERVER} is started again and again though its manifest is gone")
        time.sleep(0.1)


def start(context: Context) -> None:
    """Give the manifests back and restart the kubelet, which has watched the old history too."""
    aside, manifests = context.paths.root / ASIDE, context.paths.root / MANIFESTS
    for manifest in sorted(aside.glob("*.yaml")):
        # One that was written meanwhile is newer.
        if (manifests / manifest.name).exists():
            manifest.unlink()
        else:
            manifest.rename(manifests / manifest.name)
    aside.rmdir()
    if context.services.active(kubelet.UNIT):
        context.services.restart(kubelet.UNIT, wait=False)


def read_order(cloud: Cloud, uid: str) -> RestoreOrder | None:
    """The order that holds, if any."""
    try:
        content, _ = cloud.get(Keys(uid).restore)
    except NotFoundError:
        return None
    order = RestoreOrder.model_validate_json(content)
    return None if order.withdrawn else order


def read_progress(cloud: Cloud, uid: str, order: RestoreOrder) -> Progress:
    """What the machines have said about an order."""
    prefix = RestoreKeys(uid, order.generation).prefix
    return Progress.read(order, uid, {one.key: cloud.get(one.key)[0] for one in cloud.list(prefix)})


def withdraw(cloud: Cloud, uid: str, order: RestoreOrder, why: str) -> None:
    """Make an impossible order void, unless it is another one by now."""
    content, etag = cloud.get(Keys(uid).restore)
    if RestoreOrder.model_validate_json(content) == order:
        try:
            cloud.put(Keys(uid).restore, order.model_copy(update={"withdrawn": why}).encode(), if_match=etag)
        except ConflictError:
            return


def say(cloud: Cloud, key: str, what: Stored | None = None) -> None:
    """Write an object unless it is there: what was said first holds."""
    try:
        cloud.put(key, what.encode() if what else b"{}", if_absent=True)
    except ConflictError:
        return


def _revision(etcdctl: Etcdctl, address: str) -> int:
    try:
        return etcdctl.status(client_url(address)).revision
    except EtcdctlError:
        return 0


def _aside(context: Context) -> bool:
    return (context.paths.root / ASIDE).is_dir()


def _kill(process: int) -> None:
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        return
