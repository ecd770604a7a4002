"""Which snapshots are kept, for how long each is locked, and when the next is due: over any history."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.machine_document import snapshots
from components.node.machine import Retention
from components.node.snapshots import (
    RequestKind,
    Snapshot,
    SnapshotKeys,
    catalogue,
    drill_due,
    due,
    life_seconds,
    surplus,
)
from components.scenarios import SHAPES, Scenario

NOW = 1_800_000_000
DAY = 86400
PLANS = [snapshots(SHAPES[scenario].snapshots).keep for scenario in Scenario]

patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A busy machine is no failure."""

times = st.integers(NOW - 100 * DAY, NOW)
histories = st.lists(times, max_size=80).map(lambda found: [Snapshot(time, index) for index, time in enumerate(found)])
plans = st.sampled_from(PLANS)


@patient
@given(histories, plans)
def test_the_newest_is_never_removed(history: list[Snapshot], keep: tuple[Retention, ...]) -> None:
    if history:
        assert max(history) not in surplus(history, keep, NOW)


@patient
@given(histories, plans)
def test_each_slot_of_each_tier_that_had_one_keeps_one(history: list[Snapshot], keep: tuple[Retention, ...]) -> None:
    left = set(history) - set(surplus(history, keep, NOW))
    for tier in keep:
        had = {one.time // tier.every_seconds for one in history if _whole_slot_is_young(one, tier)}
        has = {one.time // tier.every_seconds for one in left}
        assert had <= has


def _whole_slot_is_young(one: Snapshot, tier: Retention) -> bool:
    """The oldest of a slot is the one that is kept: it may be too old already where the slot began before."""
    return NOW - one.time // tier.every_seconds * tier.every_seconds < tier.for_seconds


@patient
@given(histories, plans)
def test_no_more_are_left_than_the_tiers_have_slots(history: list[Snapshot], keep: tuple[Retention, ...]) -> None:
    left = set(history) - set(surplus(history, keep, NOW))
    scheduled = [one for one in left if NOW - one.time >= keep[0].for_seconds]
    assert len(scheduled) <= 1 + sum(tier.for_seconds // tier.every_seconds + 1 for tier in keep[1:])


@patient
@given(st.lists(st.tuples(times, st.sampled_from([0, NOW - 1, NOW + 1])), max_size=60), plans)
def test_what_is_locked_is_never_removed(history: list[tuple[int, int]], keep: tuple[Retention, ...]) -> None:
    known = [Snapshot(time, index, lock) for index, (time, lock) in enumerate(history)]
    assert all(one.retain_until <= NOW for one in surplus(known, keep, NOW))


@patient
@given(histories, plans, st.integers(0, 40 * DAY))
def test_thinning_often_or_once_leaves_the_same(
    history: list[Snapshot], keep: tuple[Retention, ...], before: int
) -> None:
    early = [one for one in history if one.time <= NOW - before]
    thinned = set(history) - set(surplus(early, keep, NOW - before))
    assert thinned - set(surplus(thinned, keep, NOW)) == set(history) - set(surplus(history, keep, NOW))


@patient
@given(histories.filter(bool), plans, st.integers(0, 100 * DAY), st.integers(0, 100 * DAY))
def test_a_snapshot_is_kept_for_as_long_as_it_is_locked(
    history: list[Snapshot], keep: tuple[Retention, ...], age: int, more: int
) -> None:
    new = max(history)
    life = life_seconds(new, history, keep)
    later = [*history, Snapshot(new.time + more, 1000)]
    if age < life:
        assert new not in surplus(later, keep, new.time + age)


@patient
@given(histories.filter(lambda history: len(history) > 1), plans)
def test_what_outlived_its_lock_is_removed_when_a_newer_one_is_there(
    history: list[Snapshot], keep: tuple[Retention, ...]
) -> None:
    *earlier, newest = sorted(history)
    oldest = earlier[0]
    assert oldest in surplus(history, keep, oldest.time + life_seconds(oldest, earlier, keep))
    assert newest not in surplus(history, keep, NOW + 1000 * DAY)


@pytest.mark.parametrize("scenario", Scenario)
def test_a_month_of_the_schedule_leaves_what_the_matrix_says(scenario: Scenario) -> None:
    plan = snapshots(SHAPES[scenario].snapshots)
    kept: set[Snapshot] = set()
    for time in range(NOW - 100 * DAY, NOW, plan.interval_seconds):
        kept.add(Snapshot(time, time))
        if time % DAY < plan.interval_seconds:
            kept -= set(surplus(kept, plan.keep, time))
    kept -= set(surplus(kept, plan.keep, NOW))
    first = plan.keep[0]
    assert sum(NOW - one.time < first.for_seconds for one in kept) == first.for_seconds // first.every_seconds - 1
    oldest = NOW - min(kept).time
    longest = plan.keep[-1]
    assert longest.for_seconds - longest.every_seconds <= oldest <= longest.for_seconds


@patient
@given(histories.filter(bool), st.integers(60, DAY), st.integers(-DAY, DAY))
def test_one_is_due_when_none_is_that_young(history: list[Snapshot], interval: int, ahead: int) -> None:
    newest = max(history)
    assert due(newest, interval, newest.time + ahead) is (abs(ahead) >= interval)
    assert due(None, interval, NOW)


def test_the_first_drill_comes_soon_and_the_next_at_its_pace() -> None:
    taken = [Snapshot(NOW, 1)]
    assert not drill_due([], [], DAY, 3600, NOW + DAY)
    assert not drill_due([], taken, DAY, 3600, NOW + 3599)
    assert drill_due([], taken, DAY, 3600, NOW + 3600)
    assert not drill_due([NOW, NOW - DAY], taken, DAY, 3600, NOW + DAY - 1)
    assert drill_due([NOW, NOW - DAY], taken, DAY, 3600, NOW + DAY)


@patient
@given(times, st.integers(0, 1 << 62))
def test_a_name_says_time_and_revision_and_sorts_by_time(time: int, revision: int) -> None:
    one = Snapshot(time, revision)
    assert Snapshot.parse(one.name) == one
    assert Snapshot(time + 1, 0).name > one.name


@pytest.mark.parametrize("name", ["", "lock.json", "20261340T000000Z-1", "20261122T000000Z", "20261122T000000Z-x"])
def test_what_is_no_name_is_no_snapshot(name: str) -> None:
    assert Snapshot.parse(name) is None


def test_only_what_has_metadata_is_a_snapshot() -> None:
    keys, taken, half = SnapshotKeys("u1"), Snapshot(NOW, 1).name, Snapshot(NOW + 1, 2).name
    found = catalogue(
        {keys.database(taken): 5, keys.metadata(taken): 1, keys.proof(taken): 1, keys.database(half): 7, keys.lock: 1},
        "u1",
    )
    assert [one.name for one in found.snapshots] == [taken]
    assert (dict(found.sizes), set(found.proofs), found.leftovers) == ({taken: 5}, {taken}, (half,))


def test_no_two_things_have_one_key() -> None:
    keys, name = SnapshotKeys("u1"), Snapshot(NOW, 1).name
    all_of_them = [
        keys.lock, keys.drill_lock, keys.database(name), keys.metadata(name), keys.proof(name), keys.clock("m"),
        keys.brought("s"), keys.inventory("d", "f"), keys.recovery_keys("m", "f"),
        *(key for kind in RequestKind for key in (keys.request(kind), keys.response(kind))),
    ]  # fmt: skip
    assert len(set(all_of_them)) == len(all_of_them)
