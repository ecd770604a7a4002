"""A campaign gives every fault its runs, the fewest first, and ends."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from drills.schedule import due

NAMES = ["a", "b", "c"]


def test_the_fault_with_the_fewest_runs_is_due_and_of_equals_the_first() -> None:
    assert due(NAMES, {"a": 2, "b": 1, "c": 1}, {}, 5) == "b"


def test_a_fault_that_has_its_runs_is_skipped() -> None:
    assert due(NAMES, {"a": 5, "b": 6, "c": 4}, {}, 5) == "c"
    assert due(NAMES, dict.fromkeys(NAMES, 5), {}, 5) is None


def test_a_fault_whose_runs_never_count_does_not_hold_up_the_others_and_is_given_up() -> None:
    assert due(NAMES, {}, {"a": 1}, 3) == "b"
    assert due(NAMES, {"b": 3, "c": 3}, {"a": 3}, 3) is None


@given(st.dictionaries(st.sampled_from(NAMES), st.integers(0, 8)), st.integers(1, 6), st.data())
def test_a_campaign_ends_with_every_fault_drilled_or_given_up(
    before: dict[str, int], repeat: int, data: st.DataObject
) -> None:
    sound, wasted = Counter(before), Counter[str]()
    while name := due(NAMES, sound, wasted, repeat):
        (sound if data.draw(st.booleans()) else wasted)[name] += 1
    assert all(sound[name] >= repeat or wasted[name] == repeat for name in NAMES)
    assert all(sound[name] <= max(before.get(name, 0), repeat) for name in NAMES)
