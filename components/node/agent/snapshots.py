"""The step `snapshots`: one healthy member takes etcd's snapshots, when they are due and when somebody asks.

Members elect by the lock in the object store, and the leader leaves it to the others for a while: it has enough to do.
"""

import shutil
import time
from typing import Final

from components.node.agent import requests
from components.node.agent.background import Background
from components.node.agent.defragmentation import size_at
from components.node.agent.step import Context, Step
from components.node.agent.take_snapshot import LOCK_SECONDS, PURPOSE, before_change, lock_of, serves, store, take
from components.node.lock import ClusterLock, LockedError, LockLostError
from components.node.machine import Machine
from components.node.snapshots import Catalogue, Reason, RequestKind, Snapshot, due

ROUND_SECONDS: Final = 10.0
"""How often a member looks whether a snapshot is due or asked for: one small read."""

FIRST_ROUNDS: Final = 6
"""Rounds until the first snapshot of a new cluster: there is nothing in it before its API server has begun."""

LEADER_ROUNDS: Final = 2
"""Rounds that the leader leaves to the others."""

CLOCK_SECONDS: Final = 60.0
"""A machine's clock that is further from the object store's than this is a concern: certificates and leases need it."""


class Snapshots(Step):
    """Schedules, serves requests, thins."""

    name = "snapshots"

    def __init__(self) -> None:
        self._background: Background | None = None
        self._lock: ClusterLock | None = None
        self._newest: Snapshot | None = None
        self._clock_offset = 0.0
        self._rounds_due = 0

    def applies(self, machine: Machine) -> bool:
        return machine.carries_member

    def run(self, context: Context) -> None:
        if self._background is None:
            # What a crash of the agent left.
            shutil.rmtree(context.paths.state / "snapshots", ignore_errors=True)
            self._background = Background(context, self.name, lambda: self.round(context), ROUND_SECONDS)
            self._background.start()

    def leave(self, context: Context) -> None:
        before_change(context, [context.machine.address])

    def round(self, context: Context) -> None:
        """Look once, and act."""
        if not serves(context.machine.address):
            return
        # The same one every time: it notices a holder that died by watching it.
        self._lock = self._lock or lock_of(context)
        try:
            self._serve_request(context, self._lock)
            self._keep_schedule(context, self._lock)
        except (LockedError, LockLostError) as error:
            context.log.changed(self.name, str(error))

    def _serve_request(self, context: Context, lock: ClusterLock) -> None:
        if requests.pending(context, RequestKind.SNAPSHOT) is None:
            return
        with lock.hold(PURPOSE, LOCK_SECONDS):
            # Another member may have served it while this one waited.
            if request := requests.pending(context, RequestKind.SNAPSHOT):
                address = context.machine.address
                requests.serve(
                    context, RequestKind.SNAPSHOT, request,
                    lambda: take(context, lock, address, Reason.REQUEST).name,
                )  # fmt: skip
                self._look(context)

    def _keep_schedule(self, context: Context, lock: ClusterLock) -> None:
        interval = context.machine.snapshots.interval_seconds
        if not due(self._newest, interval, time.time() + self._clock_offset):
            return
        if not due(self._look(context).newest, interval, time.time() + self._clock_offset):
            self._rounds_due = 0
            return
        self._rounds_due += 1
        if self._rounds_due <= self._rounds_to_wait(context):
            return
        with lock.hold(PURPOSE, LOCK_SECONDS):
            now = self._store_clock(context)
            # Asked again by the store's clock, and now that nobody else can be at it.
            if due(self._look(context).newest, interval, now):
                take(context, lock, context.machine.address, Reason.SCHEDULE)
                if gone := store(context).thin(context.machine.snapshots, now):
                    context.log(self.name, f"deleted, as the plan says: {', '.join(gone)}")
                self._look(context)

    def _rounds_to_wait(self, context: Context) -> int:
        rounds = FIRST_ROUNDS if self._newest is None else 0
        if len(context.machine.etcd.members) > 1 and size_at(context.machine.address).leader:
            rounds += LEADER_ROUNDS
        return rounds

    def _look(self, context: Context) -> Catalogue:
        found = store(context).catalogue()
        self._newest = found.newest
        context.metrics.set("snapshots", len(found.snapshots))
        if found.newest is not None:
            # Its age is the scraper's clock minus this.
            context.metrics.set("snapshot_timestamp_seconds", found.newest.time)
            context.metrics.set("snapshot_bytes", found.sizes[found.newest.name])
            context.metrics.set("snapshot_revision", found.newest.revision)
        return found

    def _store_clock(self, context: Context) -> float:
        known = store(context)
        now = known.clock(known.keys.lock)
        self._clock_offset = now - time.time()
        context.metrics.set("clock_offset_seconds", -self._clock_offset)
        if abs(self._clock_offset) > CLOCK_SECONDS:
            context.concerns["clock"] = f"this machine's clock is {-self._clock_offset:+.0f} s off the object store's"
        else:
            context.concerns.pop("clock", None)
        return now
