"""Which member of which cluster a machine becomes: the decision table that prevents split brain. First match wins.

Pure: what is known goes in as a `Situation`, what to do comes out as a `Decision`. Two rules carry it:

- A member votes in a generation with one history. Whoever has an empty disk may form a cluster only while it is
  forming, and only if it never had data in it, which its mark in the object store says; else it comes in as a learner,
  by the consent of a quorum, under a new ID.
- "Unreadable" is not "absent": nothing is formed, removed or set aside because something did not answer.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from components.node.record import Record, RestoreOrder, State


class Unreadable(Enum):
    """The object store did not answer, or not with what was asked."""

    UNREADABLE = "unreadable"


UNREADABLE: Final = Unreadable.UNREADABLE


class Mark(Enum):
    """What the object store says about this member having had data in a generation."""

    NONE = "none"
    OURS = "ours"
    """Written for the folder that is prepared on this volume and that etcd never ran on."""
    SPENT = "spent"
    """Written for a disk that is gone, or that etcd ran on."""


@dataclass(frozen=True)
class Data:
    """What etcd has on this member's volume."""

    uid: str
    generation: int
    member_id: int


@dataclass(frozen=True)
class Voter:
    """A member in a quorum's list."""

    member_id: int
    peer_url: str
    learner: bool
    healthy: bool


@dataclass(frozen=True)
class Quorum:
    """A member list that a quorum agreed on just now, of the generation asked for."""

    members: tuple[Voter, ...]

    def has(self, member_id: int) -> bool:
        """Whether the member with this ID is in the list."""
        return any(member.member_id == member_id for member in self.members)

    def at(self, peer_url: str) -> Voter | None:
        """The member at this peer URL."""
        return next((member for member in self.members if member.peer_url == peer_url), None)

    def survives_removal(self, member_id: int) -> bool:
        """Whether the healthy voters without this member are a majority of the voters without it."""
        rest = [member for member in self.members if not member.learner and member.member_id != member_id]
        return sum(member.healthy for member in rest) >= len(rest) // 2 + 1


@dataclass(frozen=True)
class Situation:
    """Everything the decision follows from."""

    uid: str
    member: str
    peer_url: str
    data: Data | None
    record: Record | Unreadable | None
    joined: Mark
    """Of the record's generation; counts only where there is a record."""
    quorum: Quorum | None
    """Of the record's generation; None where none answers or there is no record."""
    order: RestoreOrder | None = None
    restored: Mark = Mark.NONE
    """Of the order's generation."""
    ordered_quorum: Quorum | None = None
    """Of the order's generation."""


class Action(Enum):
    """What the member does. Those that say "again" decide anew afterwards."""

    RESTORE = "restore the ordered snapshot, start"
    SET_ASIDE = "set the data aside, decide again"
    START = "start with the data"
    WAIT = "wait, decide again"
    CREATE_RECORD = "create the record as forming, decide again"
    FORM = "mark, then start as part of the static initial cluster"
    REPLACE = "remove the old self, join as a learner, start, promote"
    JOIN = "join as a learner, start, promote"
    REFUSE = "never form a second cluster: wait for a quorum, decide again"


@dataclass(frozen=True)
class Decision:
    """A row of the table, chosen."""

    row: int
    action: Action
    reason: str


def decide(situation: Situation) -> Decision:
    """The first row that matches. Rows are those of the table in the design, 1 to 9."""
    for row in ROWS:
        if decision := row(situation):
            return decision
    raise AssertionError("row 9 matches everything")


def overtakes(order: RestoreOrder, record: Record | Unreadable | None, data: Data | None, uid: str) -> bool:
    """Whether an order is newer than this member's data of the cluster `uid`, and no older than the cluster."""
    if isinstance(record, Unreadable):
        return False
    had = data.generation if data and data.uid == uid else 0
    return order.generation > had and order.generation >= (record.generation if record else 0)


def _row_1_restore(now: Situation) -> Decision | None:
    order = now.order
    if order is None or not overtakes(order, now.record, now.data, now.uid):
        return None
    if now.member in order.members and now.restored is not Mark.SPENT and _is_awaited(order, now):
        return Decision(1, Action.RESTORE, f"generation {order.generation} is ordered from {order.snapshot}")
    if now.data is not None:
        why = "its quorum went on without" if now.ordered_quorum else "this member took part in it, or is not in it"
        return Decision(1, Action.SET_ASIDE, f"generation {order.generation} replaced the data's, and {why}")
    return None


def _is_awaited(order: RestoreOrder, now: Situation) -> bool:
    """Whether nobody has removed the member that this one would be. One that comes late, and never voted, begins with
    the log that all of its generation began with, and is brought up to date.
    """
    return now.ordered_quorum is None or now.ordered_quorum.has(order.member_id(now.member))


def _row_2_unreadable(now: Situation) -> Decision | None:
    if not isinstance(now.record, Unreadable):
        return None
    if now.data is not None and now.data.uid == now.uid:
        return Decision(2, Action.START, "the record cannot be read, and there is data of this cluster")
    return Decision(2, Action.WAIT, "the record cannot be read and there is no data of this cluster: nothing is safe")


def _row_3_outdated(now: Situation) -> Decision | None:
    if now.data is None:
        return None
    if now.data.uid != now.uid:
        return Decision(3, Action.SET_ASIDE, f"the data is of cluster {now.data.uid}, not of {now.uid}")
    if not isinstance(now.record, Record):
        return None
    if now.data.generation < now.record.generation:
        why = f"the data is of generation {now.data.generation}, the cluster is at {now.record.generation}"
        return Decision(3, Action.SET_ASIDE, why)
    if now.quorum is not None and not now.quorum.has(now.data.member_id):
        return Decision(3, Action.SET_ASIDE, f"a quorum answers and {now.data.member_id:x} is not among its members")
    return None


def _row_4_data(now: Situation) -> Decision | None:
    if now.data is None:
        return None
    return Decision(4, Action.START, f"there is data of {now.data.member_id:x}")


def _row_5_no_record(now: Situation) -> Decision | None:
    if now.record is not None:
        return None
    return Decision(5, Action.CREATE_RECORD, "no data and no record: a new cluster")


def _row_6_forming(now: Situation) -> Decision | None:
    record = now.record
    if not isinstance(record, Record) or record.state is not State.FORMING or now.joined is Mark.SPENT:
        return None
    if record.members.get(now.member) != now.peer_url:
        return None
    return Decision(6, Action.FORM, f"generation {record.generation} is forming and this member never had data in it")


def _row_7_in_the_list(now: Situation) -> Decision | None:
    old = now.quorum.at(now.peer_url) if now.quorum else None
    if now.quorum is None or old is None:
        return None
    if not now.quorum.survives_removal(old.member_id):
        return Decision(7, Action.WAIT, f"removing {old.member_id:x} would leave the others without quorum")
    return Decision(
        7, Action.REPLACE, f"a quorum answers and lists this member as {old.member_id:x}, whose disk is gone"
    )


def _row_8_not_in_the_list(now: Situation) -> Decision | None:
    if now.quorum is None:
        return None
    return Decision(8, Action.JOIN, "a quorum answers and does not list this member")


def _row_9_refuse(now: Situation) -> Decision | None:
    return Decision(9, Action.REFUSE, "no data, the cluster exists, and no quorum of it answers")


ROWS: Final[tuple[Callable[[Situation], Decision | None], ...]] = (
    _row_1_restore,
    _row_2_unreadable,
    _row_3_outdated,
    _row_4_data,
    _row_5_no_record,
    _row_6_forming,
    _row_7_in_the_list,
    _row_8_not_in_the_list,
    _row_9_refuse,
)
