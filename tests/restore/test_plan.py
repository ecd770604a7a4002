"""What `make restore` chooses, refuses and says, before anything is ordered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli import restore_plan as plan
from cli.refused import RefusedError
from components.node.record import REVISIONS, Record, RestoreOrder, State
from components.node.restore import Ended, Finished, Preparation, Progress, RestoreKeys, masters
from components.node.snapshots import Metadata, Reason, Snapshot

NOW = 1_795_000_000.0
SNAPSHOTS = tuple(Snapshot(int(NOW) - age, 1000 - age) for age in (300, 200, 100))
NEWEST = SNAPSHOTS[-1]
METADATA = Metadata(
    uid="u", generation=1, time=NEWEST.time, revision=NEWEST.revision, keys=5, bytes=10, sha256="0", etcd="3.7.0",
    kubernetes="v1.37.2", member="m", reason=Reason.SCHEDULE,
)  # fmt: skip
MEMBERS = {name: f"https://{name}:2380" for name in ("a", "b", "c")}
ORDER = RestoreOrder(
    generation=2,
    token="t",  # noqa: S106
    members=MEMBERS,
    snapshot="s",
    sha256="0",
    masters=("a", "b", "c"),
    time=NOW - 30,
)
KEYS = RestoreKeys("u", 2)


def test_the_newest_is_restored_unless_another_is_named() -> None:
    assert plan.chosen(SNAPSHOTS, None, None, NOW) == NEWEST
    assert plan.chosen(SNAPSHOTS, SNAPSHOTS[0].name, None, NOW) == SNAPSHOTS[0]


@given(st.integers(0, 400))
def test_a_time_means_the_newest_that_is_not_younger(ago: int) -> None:
    from datetime import UTC, datetime

    at = datetime.fromtimestamp(NOW - ago, UTC).isoformat()
    fitting = [one for one in SNAPSHOTS if one.time <= NOW - ago]
    if fitting:
        assert plan.chosen(SNAPSHOTS, None, at, NOW) == fitting[-1]
    else:
        with pytest.raises(RefusedError, match="the oldest snapshot is younger"):
            plan.chosen(SNAPSHOTS, None, at, NOW)


@pytest.mark.parametrize(
    ("name", "at", "words"),
    [
        ("20200101T000000Z-1", None, "no such snapshot; the newest are"),
        (None, "2126-01-01T00:00:00Z", "in the future"),
        (None, "yesterday", "expected a time with its zone"),
        (None, "2026-11-22T19:15:00", "expected a time with its zone"),
        (NEWEST.name, "2026-11-22T19:15:00Z", "give one"),
    ],
)
def test_a_snapshot_that_cannot_be_chosen_is_refused(name: str | None, at: str | None, words: str) -> None:
    with pytest.raises(RefusedError, match=words):
        plan.chosen(SNAPSHOTS, name, at, NOW)


def test_without_snapshots_there_is_nothing_to_restore() -> None:
    with pytest.raises(RefusedError, match="no snapshot"):
        plan.chosen((), None, None, NOW)


def check(metadata: Metadata = METADATA, size: int = 10, etcd: str = "3.7.3", now: float = NOW) -> None:
    plan.check(NEWEST, metadata, size=size, uids=("u",), etcd=etcd, now=now)


def test_a_good_snapshot_is_accepted() -> None:
    check()
    check(METADATA.model_copy(update={"etcd": "3.6.5"}))
    check(METADATA.model_copy(update={"etcd": ""}))


def test_a_snapshot_of_another_cluster_is_refused() -> None:
    with pytest.raises(RefusedError, match="is of cluster v, not of u"):
        check(METADATA.model_copy(update={"uid": "v"}))


def test_a_snapshot_of_a_newer_etcd_is_refused() -> None:
    with pytest.raises(RefusedError, match=r"was written by etcd 3\.10\.0, this stack runs 3\.7\.3"):
        check(METADATA.model_copy(update={"etcd": "3.10.0"}))


def test_a_snapshot_of_another_size_is_refused() -> None:
    with pytest.raises(RefusedError, match="10 bytes were written, the object store has 9"):
        check(size=9)


def test_a_clock_that_jumped_is_refused() -> None:
    with pytest.raises(RefusedError, match="a clock jumped"):
        check(now=NEWEST.time - 61)


@given(st.integers(0, 10**6), st.integers(-100, 10**6))
def test_the_loss_is_what_came_after_the_snapshot(revisions: int, seconds: int) -> None:
    lost = plan.loss(METADATA.revision, METADATA.time, METADATA.revision + revisions, METADATA.time + seconds)
    assert (lost.revisions, lost.seconds) == (revisions, max(seconds, 0))


@given(st.integers(0, 1000), st.integers(0, 1000), st.integers(0, 1000), st.integers(0, 1000))
def test_what_was_written_is_counted_over_restores(before: int, after: int, anew: int, again: int) -> None:
    older, newer = 5, 5 + before
    assert plan.lost_revisions(older, newer + after, None) == before + after
    first = begun(newer, None)
    assert plan.lost_revisions(newer, newer + after, first) == after, "ordered, and not carried out yet"
    assert plan.lost_revisions(newer, first.begins_at + anew, first) == anew
    assert plan.lost_revisions(older, first.begins_at + anew, first) == before + anew
    assert plan.lost_revisions(first.begins_at + anew, first.begins_at + anew + again, first) == again
    second = begun(first.begins_at + anew, first)
    assert plan.lost_revisions(older, second.begins_at + again, second) == before + anew + again
    back = begun(older, second)
    assert plan.lost_revisions(newer, back.begins_at + again, back) == again, "what this history never had is not lost"


def begun(revision: int, before: RestoreOrder | None) -> RestoreOrder:
    """A restore of the snapshot with this revision."""
    bump = plan.bump(revision, before)
    return ORDER.model_copy(update={"begins_at": revision + bump, "bump": bump})


def test_an_unknown_revision_is_not_taken_for_no_loss() -> None:
    assert "no member says" in str(plan.loss(METADATA.revision, METADATA.time, None, NOW))
    assert str(plan.loss(METADATA.revision, METADATA.time, METADATA.revision, NOW)) == "nothing"


def said(**objects: object) -> Progress:
    encoded = {
        KEYS.prefix + key.replace("__", "/"): getattr(one, "encode", lambda: b"{}")() for key, one in objects.items()
    }
    return Progress.read(ORDER, "u", encoded)


def test_a_restore_while_another_runs_is_refused_and_says_how_far_that_is() -> None:
    with pytest.raises(RefusedError, match=r"ordered 30 s ago and runs: 1 of 2 members have the snapshot.*SUPERSEDE=1"):
        plan.refuse_while_another_runs(said(prepared__a=Preparation()), NOW)
    plan.refuse_while_another_runs(None, NOW)
    plan.refuse_while_another_runs(said(finished=Finished(member="a")), NOW)


def test_a_restore_that_no_majority_can_carry_out_is_in_nobodys_way() -> None:
    failed = said(prepared__a=Preparation(error="damaged"), prepared__b=Preparation(error="damaged"))
    plan.refuse_while_another_runs(failed, NOW)


def test_a_generation_is_never_given_twice() -> None:
    record = Record(generation=4, token="t", members=MEMBERS, state=State.FORMED)  # noqa: S106
    assert plan.next_generation(record, None) == 5
    assert plan.next_generation(record, ORDER) == 5
    assert plan.next_generation(record, ORDER.model_copy(update={"generation": 7, "withdrawn": "x"})) == 8


@given(st.lists(st.tuples(st.booleans(), st.integers(0, REVISIONS - 1)), min_size=1, max_size=8))
def test_no_revision_is_ever_given_twice(restores: list[tuple[bool, int]]) -> None:
    """Whether each restore takes the first snapshot or one of the end of the history before it, written to or not."""
    first, order, end = 7, None, 500
    for again, writes in restores:
        revision = first if again else end
        bump = plan.bump(revision, order)
        assert revision + bump > end
        order = ORDER.model_copy(update={"begins_at": revision + bump})
        end = order.begins_at + writes


def test_nothing_stops_before_a_majority_has_the_snapshot() -> None:
    assert not said(prepared__a=Preparation()).is_prepared
    assert said(prepared__a=Preparation(), prepared__c=Preparation()).is_prepared
    assert not said(prepared__a=Preparation(), prepared__c=Preparation(error="x")).is_prepared


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), st.sampled_from(["", "damaged"])))
def test_an_order_is_never_void_once_it_goes_through(preparations: dict[str, str]) -> None:
    progress = said(**{f"prepared__{name}": Preparation(error=error) for name, error in preparations.items()})
    assert not (progress.is_prepared and progress.is_impossible)
    if len(preparations) == 3:
        assert progress.is_prepared or progress.is_impossible


def test_the_old_history_ends_at_the_highest_revision_that_a_member_had() -> None:
    assert said(left__a=Ended(revision=7), left__b=Ended(revision=9), left__c=Ended(revision=0)).ended_at == 9
    assert said(left__a=Ended(revision=0)).ended_at is None


def test_masters_are_known_by_what_they_said() -> None:
    assert masters([{"machine": "b", "role": "master"}, {"machine": "m", "role": "member"}]) == ("b",)
