"""Carries out what membership decides, one small step at a time, so that a crash between any two can go on."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Protocol, TypeVar

from components.node.agent.cloud import CloudError, ConflictError, NotFoundError
from components.node.agent.step import NotYetError
from components.node.lock import ClusterLock, LockedError, Store
from components.node.membership import (
    UNREADABLE,
    Action,
    Data,
    Decision,
    Mark,
    Quorum,
    Situation,
    Unreadable,
    decide,
    overtakes,
)
from components.node.record import Keys, Record, RestoreOrder, State, Static
from components.node.record import Mark as StoredMark

CHANGE_SECONDS = 60.0
"""How long a membership change may go without confirming the lock: a learner's snapshot is confirmed while it loads."""


ROUNDS: Final = 8
"""Decisions in one go. The longest honest way is two folders set aside, a record, a lost race, a start."""

Change = TypeVar("Change")


class Disk(Protocol):
    """The volume (`folders.Folders`)."""

    def data(self, uid: str) -> Data | None: ...
    def nonce(self, data: Data) -> str | None: ...
    def prepare(self, data: Data) -> str: ...
    def spend(self, data: Data) -> None: ...
    def set_aside(self, data: Data) -> object: ...
    def adopt_restored(self, data: Data) -> None: ...


class Cluster(Protocol):
    """etcd, on this machine and on the others (`cluster.EtcdCluster`)."""

    def quorum(self, static: Static) -> Quorum | None:
        """The member list that a quorum of this generation agrees on now."""

    def start(self, data: Data, static: Static, initial_cluster: str, *, existing: bool) -> None:
        """Start etcd here and return when it has a write-ahead log.

        It starts without one only while its folder is prepared: a process that comes back by itself after its disk was
        wiped would vote again as the member that it was.
        """

    def stop(self) -> None: ...

    def abandon(self) -> None:
        """End etcd at once: what it still acknowledged would be lost, and its stop waits for calls without a quorum."""

    def remove(self, member_id: int) -> None:
        """Remove a member; `NotYetError` while etcd finds it unsafe, as for the two that follow."""

    def add_learner(self, name: str, peer_url: str) -> tuple[int, str]:
        """Add a learner: its ID, and the initial cluster that it starts with."""

    def promote(self, member_id: int) -> None:
        """Make the learner a voter."""

    def disarm(self) -> None:
        """Clear the alarms, at the member that answered for the quorum last."""

    def restore(self, order: RestoreOrder, data: Data, member: str) -> None:
        """Restore the ordered snapshot to where the disk adopts it from, beside what runs; quick when it is there."""


@dataclass
class Joining:
    """One member on its way into the cluster."""

    uid: str
    member: str
    peer_url: str
    initial: dict[str, str]
    """Members that a new cluster starts with: name → peer URL."""
    store: Store
    disk: Disk
    cluster: Cluster
    lock: ClusterLock
    log: Callable[[str], None]
    consent: Callable[[RestoreOrder], None] = lambda order: None
    """Asked when this member has the ordered snapshot: raises `NotYetError` until the old history may end."""
    before_change: Callable[[], None] = lambda: None
    """Called before the member list is about to change; must not raise."""
    sleep: Callable[[float], None] = time.sleep
    patience: float = 120.0
    """Seconds to wait until etcd finds a change safe (a learner: in sync) before giving the lock back."""

    def settle(self, known: Situation | None = None) -> Decision:
        """Decide and act until etcd has been started; the last decision. `known` is what was observed just now.

        Raises:
            NotYetError: something has to change elsewhere first.
            CloudError, LockLostError, etcdctl's errors: decide again later.
        """
        for _ in range(ROUNDS):
            situation, known = known or self.observe(), None
            decision = decide(situation)
            self.log(f"membership row {decision.row}: {decision.action.value} ({decision.reason})")
            if self._act(situation, decision):
                return decision
        raise NotYetError(f"membership: nothing settled in {ROUNDS} decisions; the last was row {decision.row}")

    def observe(self) -> Situation:
        """What is known now. Asks for a quorum only where a row could turn on it."""
        keys = Keys(self.uid)
        data = self.disk.data(self.uid)
        record = self._record(keys)
        order = None
        joined, restored = Mark.NONE, Mark.NONE
        ordered_may_serve = False
        try:
            order = self._order(keys)
            if isinstance(record, Record) and self.member in record.members:
                joined = self._mark(keys.joined(record.generation, self.member), self._prepared(record))
            if order is not None and self.member in order.members:
                restored = self._mark(keys.restored(order.generation, self.member), self._prepared(order))
            if order is not None and overtakes(order, record, data, self.uid):
                ordered_may_serve = self._may_serve(keys, order)
        except (CloudError, ValueError) as error:
            self.log(f"the object store cannot be read: {error}")
            record = UNREADABLE
        ordered_quorum = self.cluster.quorum(order) if order is not None and ordered_may_serve else None
        now = Situation(
            uid=self.uid, member=self.member, peer_url=self.peer_url, data=data, record=record, joined=joined,
            quorum=None, order=order, restored=restored, ordered_quorum=ordered_quorum,
        )  # fmt: skip
        if not isinstance(record, Record) or decide(now).row == 1:
            return now
        if data is not None or record.state is State.FORMED or joined is Mark.SPENT:
            return replace(now, quorum=self.cluster.quorum(record))
        return now

    def promote_if_learner(self) -> bool:
        """Finish a join that a crash cut short; whether this member is a voter now."""
        record = self._record(Keys(self.uid))
        quorum = self.cluster.quorum(record) if isinstance(record, Record) else None
        own = quorum.at(self.peer_url) if quorum else None
        if own is None or not own.learner:
            return own is not None
        with self._locked():
            self._insist(lambda: self.cluster.promote(own.member_id))
        return True

    def finish_forming(self) -> bool:
        """Call it when a quorum serves: once every member has its mark, no empty disk may form any more.

        Whether the record says so now.
        """
        keys = Keys(self.uid)
        content, etag = self.store.get(keys.record)
        record = Record.model_validate_json(content)
        if record.state is State.FORMED:
            return True
        if any(self._mark(keys.joined(record.generation, name), None) is Mark.NONE for name in record.members):
            return False
        formed = record.model_copy(update={"state": State.FORMED})
        try:
            self.store.put(keys.record, formed.encode(), if_match=etag)
        except ConflictError:
            return False
        self.log(f"generation {record.generation} is formed by {', '.join(sorted(record.members))}")
        return True

    def _act(self, now: Situation, decision: Decision) -> bool:
        """Do it; whether etcd is started."""
        match decision.action:
            case Action.WAIT | Action.REFUSE:
                raise NotYetError(f"{decision.action.value}: {decision.reason}")
            case Action.SET_ASIDE if now.data:
                self.cluster.stop()
                self.disk.set_aside(now.data)
                return False
            case Action.CREATE_RECORD:
                self._create_record()
                return False
            case Action.START if now.data:
                self._start_with(now, now.data)
                return True
            case Action.FORM if isinstance(now.record, Record):
                return self._form(now.record)
            case Action.RESTORE if now.order:
                return self._restore(now.order, now.data)
            case Action.REPLACE | Action.JOIN:
                self._join()
                return True
        raise AssertionError(f"{decision} does not fit {now}")

    def _create_record(self) -> None:
        record = Record(
            generation=1, token=f"{self.uid}-1-{secrets.token_hex(8)}", members=self.initial, state=State.FORMING
        )
        try:
            self.store.put(Keys(self.uid).record, record.encode(), if_absent=True)
        except ConflictError:
            self.log("another member created the record first")

    def _start_with(self, now: Situation, data: Data) -> None:
        # With data etcd reads nothing of the initial cluster; an unreadable record must not keep a member down.
        static = now.record if isinstance(now.record, Record) else self._placeholder(data)
        self.cluster.start(data, static, static.initial_cluster, existing=True)
        self.disk.spend(data)

    def _placeholder(self, data: Data) -> Static:
        return Static(generation=data.generation, token=self.uid, members={self.member: self.peer_url})

    def _form(self, record: Record) -> bool:
        data = self._own(record)
        if not self._leave_mark(Keys(self.uid).joined(record.generation, self.member), data):
            return False
        self.cluster.start(data, record, record.initial_cluster, existing=False)
        self.disk.spend(data)
        return True

    def _restore(self, order: RestoreOrder, old: Data | None) -> bool:
        data = self._own(order)
        self.cluster.restore(order, data, self.member)
        self.consent(order)
        self._renew_record(order)
        self.cluster.abandon()
        if not self._leave_mark(Keys(self.uid).restored(order.generation, self.member), data):
            return False
        self.disk.adopt_restored(data)
        if old is not None:
            self.disk.set_aside(old)
        self.cluster.start(data, order, order.initial_cluster, existing=False)
        self.disk.spend(data)
        return True

    def _renew_record(self, order: RestoreOrder) -> None:
        """The record says the new generation before anybody has data of it."""
        key = Keys(self.uid).record
        content, etag = self.store.get(key)
        if Record.model_validate_json(content).generation < order.generation:
            self.store.put(key, order.record().encode(), if_match=etag)

    def _join(self) -> None:
        # Not under the lock, which others would take over if this took long.
        self.before_change()
        with self._locked():
            # Decided again under the lock: the list may have changed while we waited for it.
            situation = self.observe()
            decision = decide(situation)
            record, quorum = situation.record, situation.quorum
            if decision.action not in {Action.REPLACE, Action.JOIN} or not isinstance(record, Record) or not quorum:
                raise NotYetError(f"row {decision.row} now: {decision.reason}")
            if old := quorum.at(self.peer_url):
                self._insist(lambda: self.cluster.remove(old.member_id))
            member_id, initial_cluster = self._insist(lambda: self.cluster.add_learner(self.member, self.peer_url))
            data = Data(self.uid, record.generation, member_id)
            self.disk.prepare(data)
            self.cluster.start(data, record, initial_cluster, existing=True)
            self.disk.spend(data)
            self._insist(lambda: self.cluster.promote(member_id))

    def _insist(self, change: Callable[[], Change]) -> Change:
        """Make a change under the lock; etcd refuses one until it is safe, which is mostly a matter of seconds."""
        waited = 0.0
        while True:
            self.lock.confirm()
            try:
                return change()
            except NotYetError:
                if waited >= self.patience:
                    raise
            self.sleep(0.5)
            waited += 0.5

    def _locked(self) -> "_Held":
        return _Held(self.lock)

    def _own(self, static: Static) -> Data:
        return Data(self.uid, static.generation, static.member_id(self.member))

    def _prepared(self, static: Static) -> str | None:
        return self.disk.nonce(self._own(static))

    def _leave_mark(self, key: str, data: Data) -> bool:
        """Write the mark before etcd may run; False where it is spent already."""
        nonce = self.disk.prepare(data)
        try:
            self.store.put(key, StoredMark(nonce=nonce).encode(), if_absent=True)
        except ConflictError:
            return self._mark(key, nonce) is Mark.OURS
        return True

    def _mark(self, key: str, nonce: str | None) -> Mark:
        try:
            content, _ = self.store.get(key)
        except NotFoundError:
            return Mark.NONE
        return Mark.OURS if StoredMark.model_validate_json(content).nonce == nonce else Mark.SPENT

    def _may_serve(self, keys: Keys, order: RestoreOrder) -> bool:
        """Whether so many have, or may have, had data of the ordered generation that a quorum of it can be there."""
        marked = [self._mark(keys.restored(order.generation, name), None) is not Mark.NONE for name in order.members]
        return sum(marked) > len(marked) // 2

    def _record(self, keys: Keys) -> Record | Unreadable | None:
        try:
            content, _ = self.store.get(keys.record)
            return Record.model_validate_json(content)
        except NotFoundError:
            return None
        except (CloudError, ValueError) as error:
            self.log(f"the record cannot be read: {error}")
            return UNREADABLE

    def _order(self, keys: Keys) -> RestoreOrder | None:
        try:
            content, _ = self.store.get(keys.restore)
        except NotFoundError:
            return None
        order = RestoreOrder.model_validate_json(content)
        return None if order.withdrawn else order


class _Held:
    """The lock for one membership change; somebody else's is a reason to wait, not an error."""

    def __init__(self, lock: ClusterLock) -> None:
        self._held = lock.hold("membership", CHANGE_SECONDS)

    def __enter__(self) -> None:
        try:
            self._held.__enter__()
        except LockedError as error:
            raise NotYetError(str(error)) from None

    def __exit__(self, *exception: object) -> None:
        self._held.__exit__(*exception)  # type: ignore[arg-type]
