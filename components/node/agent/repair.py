"""Repairs a member whose data cannot be trusted, or whose database is full; never at the cost of a quorum.

etcd finds what it can by itself: members compare hashes when they start and at every compaction, and raise an alarm
that stops all writes until somebody acts.
"""

import re
import time
from collections.abc import Callable
from typing import Final

from components.node.agent.cluster import EtcdCluster
from components.node.agent.defragmentation import size_at
from components.node.agent.etcdctl import Alarm, AlarmKind
from components.node.agent.folders import Folders
from components.node.agent.hand_over import hand_over
from components.node.agent.joining import Joining
from components.node.agent.step import Context, NotYetError
from components.node.etcd import UNIT, client_url
from components.node.membership import Action, decide

REPAIR_SECONDS: Final = 180.0
"""The lock's own time: a defragmentation of the largest database, or one membership change, is confirmed within it."""

FULL_SHARE: Final = 0.9
"""A database whose file is above this share of its quota would raise the alarm again at once."""

DAMAGE: Final = re.compile(
    "data inconsistency with peers"  # hashes differ: etcdserver/corrupt.go
    "|crc mismatch"  # of the write-ahead log, or of a raft snapshot
    "|WAL, cannot be repaired"
    "|failed to find database snapshot file"
    "|Was the raft log corrupted, truncated, or lost"
    # bbolt: meta pages, free list, pages.
    "|invalid database|checksum error|file size too small|panic: freepages|unexpected page|assertion failed: [Pp]age"
    r"|panic: page \d+"
)
"""What etcd 3.7 says when it cannot go on with the data that it has."""


def damage(output: str) -> str | None:
    """The line in which etcd says that its data is damaged; None where the end of its output has none."""
    return next((line.strip()[-200:] for line in reversed(output.splitlines()) if DAMAGE.search(line)), None)


class Repair:
    """Of one member."""

    def __init__(self, way: Callable[[Context], Joining]) -> None:
        self._way = way
        self._rebuilt = 0.0
        """By the monotonic clock, as the journal has it too."""

    def alarms(self, context: Context, etcd: EtcdCluster) -> str:
        """Answer the alarms that are raised; what is not well, in words.

        Raises:
            NotYetError, LockedError, LockLostError, EtcdctlError, CloudError: tried again later.
        """
        endpoint = client_url(context.machine.address)
        raised = etcd.etcdctl.alarms((endpoint,))
        own = etcd.etcdctl.status(endpoint).member_id
        corrupt = [alarm for alarm in raised if alarm.kind is AlarmKind.CORRUPT]
        if any(alarm.member_id == own for alarm in corrupt):
            self.rebuild(context, etcd, "its data differs from what a majority of the others has")
            return "etcd was rebuilt: its data was corrupt"
        if corrupt:
            return self._others_corrupt(context, etcd, endpoint, corrupt)
        if raised:
            return self._make_room(context, etcd, endpoint)
        return "an alarm was raised and cleared"

    def crashed(self, context: Context, etcd: EtcdCluster) -> None:
        """Rebuild a member that says that it cannot start with its data. Raises as `alarms` does."""
        if (reason := damage(context.services.output_end(UNIT, self._rebuilt))) is not None:
            self.rebuild(context, etcd, reason)

    def emptied(self, context: Context, etcd: EtcdCluster) -> None:
        """Rebuild a member that runs though its disk was emptied under it, before it ends and its vote is lost with it.

        Raises as `alarms` does.
        """
        way = self._way(context)
        with context.lock.hold("repair", REPAIR_SECONDS):
            # Row 7 replaces nobody whom the others need.
            if decide(way.observe()).action in {Action.REPLACE, Action.JOIN}:
                context.log("etcd", "rebuilding: its disk was emptied under it")
                etcd.stop()
                way.settle()

    def rebuild(self, context: Context, etcd: EtcdCluster, reason: str) -> None:
        """Set the data aside and join anew, where the others have a quorum without this member.

        Raises:
            NotYetError: they have not; the data stays where it is.
        """
        way = self._way(context)
        with context.lock.hold("repair", REPAIR_SECONDS):
            now = way.observe()
            if now.data is None:
                return
            if now.quorum is None or not now.quorum.survives_removal(now.data.member_id):
                raise NotYetError(f"etcd's data is damaged ({reason}), and the others have no quorum without it")
            context.log("etcd", f"rebuilding: {reason}")
            etcd.stop()
            Folders(context.paths.etcd_volume).set_aside(now.data)
            # What etcd said of that data counts no more.
            self._rebuilt = time.monotonic()
            way.cluster.disarm()
            way.settle()

    @staticmethod
    def _others_corrupt(context: Context, etcd: EtcdCluster, endpoint: str, corrupt: list[Alarm]) -> str:
        members = {member.id: member.name for member in etcd.etcdctl.member_list((endpoint,)).members}
        if any(alarm.member_id == 0 for alarm in corrupt):
            return "members' data differs and no majority of them agrees: etcd takes no writes; make restore"
        listed = [members[alarm.member_id] for alarm in corrupt if alarm.member_id in members]
        if listed:
            return f"etcd takes no writes until {', '.join(listed)} is rebuilt: its data is corrupt"
        # Whom it was raised for has been removed.
        etcd.etcdctl.disarm((endpoint,))
        return "the alarm of a removed member was cleared"

    @staticmethod
    def _make_room(context: Context, etcd: EtcdCluster, endpoint: str) -> str:
        """Compact, defragment this member, clear the alarm when all have room."""
        limit = etcd.etcd.quota_bytes * FULL_SHARE
        with context.lock.hold("making room in etcd", REPAIR_SECONDS):
            own = size_at(context.machine.address)
            others = [size_at(member.address) for member in etcd.etcd.members if member.name != context.machine.name]
            if own.file_bytes > limit:
                if own.leader and any(other.file_bytes > limit for other in others):
                    return "etcd is full: followers make room first"
                etcd.etcdctl.compact(endpoint, etcd.etcdctl.status(endpoint).revision)
                if own.leader:
                    context.log("etcd", f"before its defragmentation: {hand_over(etcd.etcdctl, endpoint)}")
                context.log("etcd", "full: compacted, defragmenting")
                context.lock.confirm()
                etcd.etcdctl.defragment(endpoint)
                own = size_at(context.machine.address)
            if own.file_bytes > limit:
                return (
                    f"etcd is full: {own.used_bytes:.0f} of {etcd.etcd.quota_bytes} bytes are in use after compaction"
                    " and defragmentation: delete objects"
                )
            if any(other.file_bytes > limit for other in others):
                return "etcd is full: other members make room"
            etcd.etcdctl.disarm((endpoint,))
            context.log("etcd", "there is room again: alarm cleared")
        return "etcd was full and has room again"
