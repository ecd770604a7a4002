"""A fault's share of what a 99th percentile over five minutes allows, and the percentile of the drill itself."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drills.latency import latencies, worst_window
from drills.record import Connection, Operation, Outcome, Record


def request(at: float, took: float = 0.01, outcome: Outcome = Outcome.ACKNOWLEDGED) -> Record:
    return Record("endpoint", Connection.NEW, Operation.CREATE, "k", 1, at, at, at + took, outcome, "")


def drill(seconds: float = 30.0, outage: float = 0.0) -> list[Record]:
    """Ten requests a second, of which those sent in the `outage` after the tenth second fail."""
    ats = [number / 10 for number in range(round(seconds * 10))]
    return [request(at, outcome=Outcome.REFUSED if 10 <= at < 10 + outage else Outcome.ACKNOWLEDGED) for at in ats]


def test_an_outage_uses_its_requests_of_the_thirty_that_five_minutes_allow() -> None:
    found = latencies(drill(outage=0.6), 10.0)["create"]
    assert found.slow == 6
    assert found.used == pytest.approx(6 / 30, rel=0.01)


def test_the_promise_is_broken_by_more_than_a_hundredth_of_five_minutes() -> None:
    assert latencies(drill(outage=2.9), 10.0)["create"].used < 1
    assert latencies(drill(outage=3.2), 10.0)["create"].used > 1


def test_an_answer_that_came_late_is_slow_and_one_in_time_is_not() -> None:
    found = latencies([*drill(), request(12.05, took=0.51), request(13.05, took=0.5)], 10.0)["create"]
    assert found.slow == 1


def test_the_drills_own_percentile_begins_with_the_fault() -> None:
    before = [request(number / 10, took=2.0) for number in range(100)]
    after = [request(10 + number / 10, took=0.3) for number in range(100)]
    assert latencies([*before, *after], 10.0)["create"].p99 == pytest.approx(0.3)


def test_only_requests_through_the_endpoint_count_whatever_the_client() -> None:
    patient = replace(request(12.0, took=9.0), connection=Connection.PATIENT)
    direct = replace(patient, via="master-1")
    assert latencies([*drill(), patient, direct], 10.0)["create"].slow == 1


def test_of_a_long_drill_the_worst_five_minutes_count() -> None:
    outages = [*drill(900, outage=1.0), *(request(at, outcome=Outcome.REFUSED) for at in (700.01, 700.02))]
    assert latencies(outages, 10.0)["create"].slow == 10


@given(st.lists(st.floats(0, 2000), max_size=60).map(sorted))
def test_the_worst_five_minutes_are_those_that_hold_most(times: list[float]) -> None:
    assert worst_window(times) == max((sum(begin <= at < begin + 300 for at in times) for begin in times), default=0)
