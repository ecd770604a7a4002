"""A small world for membership: disks, an object store, a network that can be cut, and etcd reduced to its logs.

etcd here is Raft as far as membership can break it: a log per disk, a configuration in the log, a leader wherever one
reaches a majority of its configuration's voters whose logs are no longer than its own. Every leader that could be must
have all that was ever committed in its generation; that alone shows two quorums as well as a rewound write.
"""

import itertools
from dataclasses import dataclass, field

from components.node.agent.cloud import CloudError, ConflictError, NotFoundError
from components.node.agent.etcdctl import EtcdctlError
from components.node.agent.joining import Joining
from components.node.agent.step import NotYetError
from components.node.lock import ClusterLock, LockLostError
from components.node.membership import Data, Quorum, Voter
from components.node.record import Keys, Record, RestoreOrder, Static

UID = "u"
EXPECTED = (NotYetError, CloudError, EtcdctlError, LockLostError)


class Crash(Exception):  # noqa: N818 it is what happens, not what is wrong
    """The machine dies here."""


@dataclass(frozen=True)
class Configuration:
    """A configuration entry of a log."""

    voters: frozenset[int]
    learners: frozenset[int]
    urls: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Write:
    """A write, or all of a snapshot's."""

    numbers: tuple[int, ...]


Log = tuple[Configuration | Write, ...]


@dataclass
class Disk:
    """A volume (`joining.Disk`); its machine may crash at every touch."""

    world: "World"
    owner: str
    logs: dict[Data, Log] = field(default_factory=dict)
    nonces: dict[Data, str] = field(default_factory=dict)
    restored: dict[Data, Log] = field(default_factory=dict)

    def data(self, uid: str) -> Data | None:
        return max(self.logs, key=lambda data: data.generation, default=None)

    def nonce(self, data: Data) -> str | None:
        return self.nonces.get(data)

    def prepare(self, data: Data) -> str:
        self.world.touch(self.owner)
        return self.nonces.setdefault(data, f"nonce-{next(self.world.counter)}")

    def spend(self, data: Data) -> None:
        self.world.touch(self.owner)
        self.nonces.pop(data, None)

    def set_aside(self, data: Data) -> None:
        self.world.touch(self.owner)
        self.nonces.pop(data, None)
        del self.logs[data]

    def adopt_restored(self, data: Data) -> None:
        self.world.touch(self.owner)
        self.logs[data] = self.restored.pop(data)


@dataclass
class View:
    """The object store as one machine reaches it (`lock.Store`)."""

    world: "World"
    owner: str

    def get(self, key: str) -> tuple[bytes, str]:
        self._reach()
        if key not in self.world.objects:
            raise NotFoundError(key)
        return self.world.objects[key]

    def put(
        self, key: str, content: bytes, *, if_absent: bool = False, if_match: str | None = None,
        retain_until: float | None = None,
    ) -> str:  # fmt: skip
        self._reach()
        present = self.world.objects.get(key)
        if (if_absent and present) or (if_match is not None and (not present or present[1] != if_match)):
            raise ConflictError(key)
        etag = str(next(self.world.counter))
        self.world.objects[key] = (content, etag)
        if self.world.answer_is_lost(self.owner):
            raise CloudError("written, but the answer was lost")
        return etag

    def _reach(self) -> None:
        self.world.touch(self.owner)
        if self.world.store_down or self.owner in self.world.cut:
            raise CloudError("the store does not answer")


@dataclass
class Etcd:
    """etcd on one machine (`joining.Cluster`)."""

    world: "World"
    owner: str

    def quorum(self, static: Static) -> Quorum | None:
        group = self.world.group(self.owner, static.generation)
        leader = self.world.leader(static.generation, group)
        if leader is None or group == {self.owner} or self.world.cluster_ids[static.generation] != static.cluster_id:
            return None
        running = {self.world.running[name].member_id for name in group}
        return Quorum(
            tuple(
                Voter(member_id, url, member_id in self.world.configuration(leader).learners, member_id in running)
                for member_id, url in self.world.configuration(leader).urls
            )
        )

    def start(self, data: Data, static: Static, initial_cluster: str, *, existing: bool) -> None:
        self.world.touch(self.owner)
        disk = self.world.disks[self.owner]
        if data not in disk.logs:
            assert data in disk.nonces, "etcd must not start on a disk that was not prepared for it"
            if not existing:
                self.world.cluster_ids.setdefault(data.generation, static.cluster_id)
                assert self.world.cluster_ids[data.generation] == static.cluster_id, "two clusters of one generation"
            disk.logs[data] = () if existing else (initial(static),)
        self.world.running[self.owner] = data
        self.world.replicate()

    def stop(self) -> None:
        self.world.touch(self.owner)
        self.world.running.pop(self.owner, None)

    def abandon(self) -> None:
        self.stop()

    def remove(self, member_id: int) -> None:
        now, generation = self._configuration()
        voters = now.voters - {member_id}
        alive = {self.world.running[name].member_id for name in self.world.group(self.owner, generation)}
        if len(voters & alive) <= len(voters) // 2:
            raise NotYetError("unhealthy cluster")
        urls = tuple(entry for entry in now.urls if entry[0] != member_id)
        self._propose(Configuration(voters, now.learners - {member_id}, urls))

    def add_learner(self, name: str, peer_url: str) -> tuple[int, str]:
        now, _ = self._configuration()
        if peer_url in dict(now.urls).values():
            raise EtcdctlError("Peer URLs already exists")
        member_id = 1000 + next(self.world.counter)
        self._propose(Configuration(now.voters, now.learners | {member_id}, (*now.urls, (member_id, peer_url))))
        return member_id, ""

    def promote(self, member_id: int) -> None:
        now, _ = self._configuration()
        if member_id not in now.learners:
            raise EtcdctlError("can only promote a learner member")
        self._propose(Configuration(now.voters | {member_id}, now.learners - {member_id}, now.urls))

    def disarm(self) -> None:
        """There are no alarms here."""

    def restore(self, order: RestoreOrder, data: Data, member: str) -> None:
        self.world.touch(self.owner)
        self.world.cluster_ids.setdefault(order.generation, order.cluster_id)
        snapshot = Write(self.world.snapshots[order.snapshot])
        self.world.disks[self.owner].restored[data] = (initial(order), snapshot)

    def _configuration(self) -> tuple[Configuration, int]:
        self.world.touch(self.owner)
        record = Record.model_validate_json(self.world.objects[Keys(UID).record][0])
        leader = self.world.leader(record.generation, self.world.group(self.owner, record.generation))
        if leader is None:
            raise EtcdctlError("no leader")
        return self.world.configuration(leader), record.generation

    def _propose(self, configuration: Configuration) -> None:
        record = Record.model_validate_json(self.world.objects[Keys(UID).record][0])
        self.world.commit(record.generation, self.world.group(self.owner, record.generation), configuration)
        self.world.touch(self.owner)


class World:
    """Everything, and the invariants."""

    def __init__(self, members: int) -> None:
        self.counter = itertools.count()
        self.urls = {f"m{i}": f"https://10.0.0.{i}:2380" for i in range(members)}
        self.objects: dict[str, tuple[bytes, str]] = {}
        self.snapshots: dict[str, tuple[int, ...]] = {}
        self.disks = {name: Disk(self, name) for name in self.urls}
        self.old_disks: dict[str, list[Disk]] = {name: [] for name in self.urls}
        self.running: dict[str, Data] = {}
        self.cut: set[str] = set()
        self.store_down = False
        self.committed: dict[int, Log] = {}
        self.cluster_ids: dict[int, int] = {}
        self.clock = 0.0
        self.locks = {name: self._lock(name) for name in self.urls}
        self._crash_at: int | None = None
        self._lost_at: int | None = None
        self._meanwhile: tuple[int | None, str] = (None, "")
        self._touched = 0

    # -- machines ------------------------------------------------------------------------------------------------

    def settle(
        self, name: str, crash_at: int | None = None, lost_at: int | None = None,
        meanwhile: tuple[int | None, str] = (None, ""),
    ) -> str:  # fmt: skip
        """The agent of a machine settles its membership; what came of it.

        At a touch of the world it may crash, lose the store's answer, or have another machine settle in between.
        """
        self._crash_at, self._lost_at, self._meanwhile, self._touched = crash_at, lost_at, meanwhile, 0
        self.clock += 1
        try:
            return self.joining(name).settle().action.name
        except EXPECTED as error:
            return type(error).__name__
        except Crash:
            self.kill(name)
            return "crash"
        finally:
            self._crash_at = self._lost_at = None
            self._meanwhile = (None, "")

    def joining(self, name: str) -> Joining:
        return Joining(
            uid=UID, member=name, peer_url=self.urls[name], initial=self.urls, store=View(self, name),
            disk=self.disks[name], cluster=Etcd(self, name), lock=self.locks[name], log=lambda _: None,
            sleep=self._sleep, patience=2,
        )  # fmt: skip

    def kill(self, name: str) -> None:
        self.running.pop(name, None)
        self.locks[name] = self._lock(name)

    def touch(self, name: str) -> None:
        self._touched += 1
        at, other = self._meanwhile
        if self._touched == at and other != name:
            interrupted = self._crash_at, self._lost_at, self._touched
            self.settle(other)
            self._crash_at, self._lost_at, self._touched = interrupted
        if self._touched == self._crash_at:
            raise Crash(name)

    def answer_is_lost(self, name: str) -> bool:
        return self._touched == self._lost_at

    def _lock(self, name: str) -> ClusterLock:
        return ClusterLock(View(self, name), Keys(UID).lock, name, clock=lambda: self.clock)

    def _sleep(self, seconds: float) -> None:
        self.clock += seconds
        self.replicate()

    def order_restore(self, generation: int, writes: tuple[int, ...]) -> None:
        """An operator orders a snapshot that holds these writes."""
        snapshot = f"snapshot-{generation}"
        self.snapshots[snapshot] = writes
        order = RestoreOrder(
            generation=generation, token=f"t{generation}", members=self.urls, snapshot=snapshot, sha256="0"
        )  # fmt: skip
        self.objects[Keys(UID).restore] = (order.encode(), f"order-{generation}")

    # -- Raft ----------------------------------------------------------------------------------------------------

    def group(self, name: str, generation: int) -> set[str]:
        """Who runs this generation and reaches `name`; two sides at most, and cut ones reach each other."""
        return {
            other
            for other, data in self.running.items()
            if data.generation == generation and (other in self.cut) == (name in self.cut)
        }

    def leader(self, generation: int, group: set[str]) -> str | None:
        """Any that can lead the group; all that can must have everything that was committed."""
        able = [name for name in sorted(group) if self._wins(name, group)]
        for name in able:
            has = self._log(name)[: len(self.committed.get(generation, ()))]
            assert has == self.committed.get(generation, ()), f"{name} leads without all that was committed"
        return max(able, key=lambda name: len(self._log(name)), default=None)

    def configuration(self, name: str) -> Configuration:
        return [entry for entry in self._log(name) if isinstance(entry, Configuration)][-1]

    def commit(self, generation: int, group: set[str], entry: Configuration | Write) -> bool:
        leader = self.leader(generation, group)
        if leader is None:
            return False
        log, now = (*self._log(leader), entry), self.configuration(leader)
        for name in group:
            if self.running[name].member_id in now.voters | now.learners:
                self.disks[name].logs[self.running[name]] = log
        self.committed[generation] = log
        return True

    def replicate(self) -> None:
        """Leaders bring everybody that they reach up to date."""
        for generation in {data.generation for data in self.running.values()}:
            for side in (True, False):
                group = {n for n, d in self.running.items() if d.generation == generation and (n in self.cut) is side}
                leader = self.leader(generation, group)
                if leader is None:
                    continue
                now = self.configuration(leader)
                for name in group:
                    if self.running[name].member_id in now.voters | now.learners:
                        self.disks[name].logs[self.running[name]] = self._log(leader)

    def leading_sides(self, generation: int) -> list[str]:
        sides = [{n for n in self.running if (n in self.cut) is cut} for cut in (True, False)]
        groups = [{n for n in side if self.running[n].generation == generation} for side in sides]
        return [leader for group in groups if (leader := self.leader(generation, group))]

    def _log(self, name: str) -> Log:
        return self.disks[name].logs[self.running[name]]

    def _wins(self, name: str, group: set[str]) -> bool:
        log = self._log(name)
        if not log:
            return False
        voters = self.configuration(name).voters
        ballots = {self.running[other].member_id for other in group if len(self._log(other)) <= len(log)}
        return self.running[name].member_id in voters and len(voters & ballots) > len(voters) // 2


def initial(static: Static) -> Configuration:
    """The configuration that a static bootstrap starts with."""
    urls = tuple(sorted((static.member_id(name), url) for name, url in static.members.items()))
    return Configuration(frozenset(member_id for member_id, _ in urls), frozenset(), urls)
