"""The verdict says what clients felt: in gaps, shares and times of failures, from the intended send on."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drills.record import Connection, Operation, Outcome, Record
from drills.verdict import Mark, MarkKind, felt, longest_gap, percentile, rates

FAULT = Mark(10.0, 10.1, MarkKind.FAULT, "kill master-1")
HEAL = Mark(20.0, 20.1, MarkKind.HEAL, "heal")


def request(at: float, outcome: Outcome = Outcome.ACKNOWLEDGED, took: float = 0.01) -> Record:
    return Record("endpoint", Connection.NEW, Operation.CREATE, "k", 1, at, at, at + took, outcome, "")


def steady(begin: float, end: float, every: float = 0.05) -> list[Record]:
    return [request(begin + number * every) for number in range(round((end - begin) / every))]


def test_without_a_failure_nothing_was_felt() -> None:
    (one,) = felt(steady(0, 30), [FAULT, HEAL], 30.0)
    for window in one.windows:
        assert (window.failed, window.last_failure, window.in_flight_failed) == (0, 0.0, 0)
        assert window.longest_gap == pytest.approx(0.05)
        assert window.p99 == pytest.approx(0.01)


def test_a_failure_is_timed_from_its_intended_send_and_counted_in_its_window() -> None:
    records = [*steady(0, 30), request(10.7, Outcome.TIMED_OUT, 1.0), request(20.2, Outcome.UNKNOWN)]
    fault, heal = felt(records, [FAULT, HEAL], 30.0)[0].windows
    assert fault.last_failure == pytest.approx(0.7)
    assert heal.last_failure == pytest.approx(0.2)
    assert (fault.failed, heal.failed) == (1, 1)
    assert fault.share_failed == pytest.approx(1 / 201)


def test_failures_in_a_row_are_counted_by_stream_and_intended_time() -> None:
    bad = [request(at, Outcome.REFUSED) for at in (10.01, 10.26, 10.27, 10.52)]
    assert felt([*bad, *steady(0, 30)], [FAULT], 30.0)[0].windows[0].in_a_row == 2


def test_what_was_open_at_the_mark_is_told_apart() -> None:
    records = [*steady(0, 30), request(9.95, Outcome.UNKNOWN, 7.5)]
    fault, heal = felt(records, [FAULT, HEAL], 30.0)[0].windows
    assert (fault.in_flight, fault.in_flight_failed, fault.failed) == (7.5, 1, 0)
    assert heal.in_flight == 0.0


def test_an_outage_is_a_gap_of_its_length() -> None:
    records = [*steady(0, 10), *(request(at, Outcome.REFUSED) for at in (10.5, 11, 11.5)), *steady(12, 30)]
    assert felt(records, [FAULT, HEAL], 30.0)[0].windows[0].longest_gap == pytest.approx(2.05, abs=0.01)


def test_an_outage_that_never_ends_lasts_until_the_last_record() -> None:
    records = [*steady(0, 10), *(request(float(at), Outcome.REFUSED) for at in range(10, 31))]
    assert felt(records, [FAULT, HEAL], 30.0)[0].windows[1].longest_gap == pytest.approx(20.05, abs=0.02)


def test_an_outage_over_a_mark_counts_in_full_on_both_sides() -> None:
    fault, heal = felt([*steady(0, 18), *steady(23, 30)], [FAULT, HEAL], 30.0)[0].windows
    assert fault.longest_gap == heal.longest_gap == pytest.approx(5.05, abs=0.01)


@given(st.lists(st.floats(0, 100), max_size=40).map(sorted), st.floats(0, 100), st.floats(0, 100))
def test_a_gap_is_never_shorter_than_any_silence_inside_the_window(
    ends: list[float], first: float, second: float
) -> None:
    begin, end = sorted((first, second))
    gap = longest_gap(ends, begin, end, 100.0)
    inside = [begin, *(at for at in ends if begin <= at <= end), end]
    silence = max(later - earlier for earlier, later in pairwise(inside))
    assert gap >= silence - 1e-9


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_a_value_that_at_least_that_share_does_not_exceed(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9


def test_the_baseline_is_what_was_achieved_before_the_first_mark() -> None:
    half = [request(at, Outcome.ACKNOWLEDGED if index % 2 else Outcome.REFUSED)
            for index, at in enumerate(record.intended for record in steady(0, 10))]  # fmt: skip
    (one,) = felt([*half, *steady(10, 30)], [FAULT], 30.0)
    assert one.baseline.intended_rate == pytest.approx(20)
    assert rates([one]) == {"endpoint/new/create": pytest.approx(0.5)}


@pytest.mark.parametrize("marks", [[], [HEAL, FAULT]])
def test_marks_that_make_no_windows_are_refused(marks: list[Mark]) -> None:
    with pytest.raises(ValueError, match="marks must be"):
        felt(steady(0, 1), marks, 30.0)
