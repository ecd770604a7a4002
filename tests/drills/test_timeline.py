"""What is drawn is what was measured."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from drills.record import Connection, Operation, Outcome, Record
from drills.timeline import Availability, availability, latencies

ANSWERS = st.lists(st.tuples(st.floats(0, 9.99), st.booleans()), max_size=60)


def record(at: float, good: bool, took: float = 0.01) -> Record:
    outcome = Outcome.ACKNOWLEDGED if good else Outcome.TIMED_OUT
    return Record("endpoint", Connection.NEW, Operation.READ, "k", 1, at, at, at + took, outcome, "")


@given(ANSWERS)
def test_stretches_are_in_order_and_every_failure_is_in_one_that_shows_it(answers: list[tuple[float, bool]]) -> None:
    stretches = availability([record(*answer) for answer in answers], 0.0, 10.0)
    for earlier, later in pairwise(stretches):
        assert earlier.end <= later.begin + 1e-9
        assert earlier.availability is not later.availability or earlier.end < later.begin
    for at, good in answers:
        around = {one.availability for one in stretches if one.begin - 0.11 <= at <= one.end + 0.11}
        assert around & ({Availability.ALL, Availability.SOME} if good else {Availability.NONE, Availability.SOME})


def test_an_outage_is_a_stretch_of_its_length() -> None:
    records = [record(number * 0.05, not 3 <= number * 0.05 < 5) for number in range(200)]
    shown = [(round(one.begin, 1), round(one.end, 1), str(one.availability)) for one in availability(records, 0, 10)]
    assert shown == [(0, 3, "all"), (3, 5, "none"), (5, 10, "all")]


def test_latencies_leave_out_what_was_not_acknowledged() -> None:
    found = latencies([record(0.1, True, 0.2), record(0.2, False, 9.0), record(0.7, False)], 0.0, 1.0)
    assert [(one.at, round(one.p99, 3)) for one in found] == [(0.0, 0.2)]
