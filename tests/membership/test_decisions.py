"""The membership table: a test per row, and what holds over all situations."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.node.membership import (
    UNREADABLE,
    Action,
    Data,
    Mark,
    Quorum,
    Situation,
    Voter,
    decide,
)
from components.node.record import Record, RestoreOrder, State, Static

URLS = {name: f"https://10.0.0.{i}:2380" for i, name in enumerate(("a", "b", "c"), start=1)}
FORMING = Record(
    generation=1,
    token="token-1",  # noqa: S106
    members=URLS,
    state=State.FORMING,
)
FORMED = FORMING.model_copy(update={"state": State.FORMED})
ORDER = RestoreOrder(
    generation=2,
    token="token-2",  # noqa: S106
    members=URLS,
    snapshot="s",
    sha256="0",
)
OWN = Data("u", 1, FORMED.member_id("a"))


def quorum(*, of: Static = FORMED, without: str = "", unhealthy: str = "", own_id: int | None = None) -> Quorum:
    members = {name: of.member_id(name) for name in URLS if name not in without}
    if own_id is not None:
        members["a"] = own_id
    return Quorum(
        tuple(
            Voter(member_id, URLS[name], learner=False, healthy=name != "a" and name not in unhealthy)
            for name, member_id in members.items()
        )
    )


EMPTY = Situation(
    uid="u", member="a", peer_url=URLS["a"], data=None, record=FORMED, joined=Mark.SPENT, quorum=None
)  # fmt: skip
WITH_DATA = dataclasses.replace(EMPTY, data=OWN)

ROWS = [
    (1, Action.RESTORE, dataclasses.replace(WITH_DATA, order=ORDER)),
    (1, Action.RESTORE, dataclasses.replace(EMPTY, order=ORDER)),
    (1, Action.RESTORE, dataclasses.replace(WITH_DATA, order=ORDER, restored=Mark.OURS)),
    (1, Action.SET_ASIDE, dataclasses.replace(WITH_DATA, order=ORDER, restored=Mark.SPENT)),
    (1, Action.RESTORE, dataclasses.replace(WITH_DATA, order=ORDER, ordered_quorum=quorum(of=ORDER))),
    (1, Action.SET_ASIDE, dataclasses.replace(WITH_DATA, order=ORDER, ordered_quorum=quorum(of=ORDER, own_id=7))),
    (1, Action.SET_ASIDE, dataclasses.replace(WITH_DATA, order=ORDER, ordered_quorum=quorum(of=ORDER, without="a"))),
    (2, Action.START, dataclasses.replace(WITH_DATA, record=UNREADABLE)),
    (2, Action.WAIT, dataclasses.replace(EMPTY, record=UNREADABLE)),
    (2, Action.WAIT, dataclasses.replace(EMPTY, record=UNREADABLE, data=Data("other", 1, 1))),
    (3, Action.SET_ASIDE, dataclasses.replace(EMPTY, data=Data("other", 1, 1))),
    (3, Action.SET_ASIDE, dataclasses.replace(WITH_DATA, record=ORDER.record())),
    (3, Action.SET_ASIDE, dataclasses.replace(WITH_DATA, quorum=quorum(without="a"))),
    (3, Action.SET_ASIDE, dataclasses.replace(WITH_DATA, quorum=quorum(own_id=7))),
    (4, Action.START, WITH_DATA),
    (4, Action.START, dataclasses.replace(WITH_DATA, quorum=quorum())),
    (4, Action.START, dataclasses.replace(WITH_DATA, record=None)),
    (5, Action.CREATE_RECORD, dataclasses.replace(EMPTY, record=None, joined=Mark.NONE)),
    (6, Action.FORM, dataclasses.replace(EMPTY, record=FORMING, joined=Mark.NONE)),
    (6, Action.FORM, dataclasses.replace(EMPTY, record=FORMING, joined=Mark.OURS)),
    (7, Action.REPLACE, dataclasses.replace(EMPTY, quorum=quorum())),
    (7, Action.REPLACE, dataclasses.replace(EMPTY, record=FORMING, quorum=quorum())),
    (7, Action.WAIT, dataclasses.replace(EMPTY, quorum=quorum(unhealthy="b"))),
    (8, Action.JOIN, dataclasses.replace(EMPTY, quorum=quorum(without="a"))),
    (9, Action.REFUSE, EMPTY),
    (9, Action.REFUSE, dataclasses.replace(EMPTY, record=FORMING)),
    (9, Action.REFUSE, dataclasses.replace(EMPTY, member="new", record=FORMING, joined=Mark.NONE)),
    (9, Action.REFUSE, dataclasses.replace(EMPTY, joined=Mark.NONE)),
]


@pytest.mark.parametrize(("row", "action", "situation"), ROWS)
def test_the_first_row_that_matches_decides(row: int, action: Action, situation: Situation) -> None:
    decision = decide(situation)
    assert (decision.row, decision.action) == (row, action)
    assert decision.reason


marks = st.sampled_from(Mark)
quorums = st.sampled_from([None, quorum(), quorum(without="a"), quorum(unhealthy="b"), quorum(own_id=7)])
situations = st.builds(
    Situation,
    uid=st.just("u"),
    member=st.sampled_from(["a", "new"]),
    peer_url=st.just(URLS["a"]),
    data=st.sampled_from([None, OWN, Data("u", 2, 5), Data("other", 3, 1)]),
    record=st.sampled_from([None, UNREADABLE, FORMING, FORMED, ORDER.record()]),
    joined=marks,
    quorum=quorums,
    order=st.sampled_from([None, ORDER]),
    restored=marks,
    ordered_quorum=st.one_of(quorums, st.just(quorum(of=ORDER))),
)


@given(situations)
def test_nothing_is_removed_or_formed_on_a_record_that_cannot_be_read(situation: Situation) -> None:
    decision = decide(dataclasses.replace(situation, record=UNREADABLE))
    assert decision.action in {Action.START, Action.WAIT}


@given(situations)
def test_whoever_had_data_never_forms(situation: Situation) -> None:
    if decide(dataclasses.replace(situation, joined=Mark.SPENT)).action is Action.FORM:
        pytest.fail("an empty disk would vote again as a member that it was")


@given(situations)
def test_a_restored_disk_is_not_restored_twice(situation: Situation) -> None:
    assert decide(dataclasses.replace(situation, restored=Mark.SPENT)).action is not Action.RESTORE


@given(situations)
def test_no_member_is_removed_without_a_quorum_of_the_others(situation: Situation) -> None:
    if decide(situation).action is Action.REPLACE:
        assert situation.quorum is not None
        old = situation.quorum.at(situation.peer_url)
        assert old is not None
        assert situation.quorum.survives_removal(old.member_id)


@given(situations)
def test_data_of_this_cluster_and_generation_is_set_aside_only_by_an_order_or_a_quorum(situation: Situation) -> None:
    if decide(situation).action is Action.SET_ASIDE and situation.data == OWN and situation.record in (FORMING, FORMED):
        assert situation.order is not None or situation.quorum is not None


@given(st.integers(1, 9), st.data())
def test_removal_survives_exactly_when_a_majority_of_the_rest_is_healthy(members: int, data: st.DataObject) -> None:
    healthy = data.draw(st.lists(st.booleans(), min_size=members, max_size=members))
    voters = Quorum(tuple(Voter(i, str(i), learner=False, healthy=h) for i, h in enumerate(healthy)))
    rest = healthy[1:]
    assert voters.survives_removal(0) == (sum(rest) > len(rest) / 2)
