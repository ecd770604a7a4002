"""The checker accepts what a register can do, and nothing else."""

import itertools
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drills.linearizability import Event, histories, linearizable
from drills.record import Connection, Operation, Outcome, Record


def write(start: float, end: float, value: int) -> Event:
    return Event(start, end, value, write=True)


def read(start: float, end: float, value: int | None) -> Event:
    return Event(start, end, value, write=False)


REFUTED = {
    "a read after a write's end sees the value before": [write(0, 1, 1), read(2, 3, None)],
    "a read sees a value that nobody wrote": [write(0, 1, 1), read(2, 3, 7)],
    "a read sees a value before its write starts": [read(0, 1, 1), write(2, 3, 1)],
    "an acknowledged write vanishes after it was seen": [write(0, 1, 1), write(2, 3, 2), read(4, 5, 1)],
    "two reads in a row go back in time": [write(0, 1, 1), write(2, 9, 2), read(3, 4, 2), read(5, 6, 1)],
    "two clients see two writes in opposite order": [
        write(0, 9, 1), write(0, 9, 2), read(10, 11, 1), read(12, 13, 2),
    ],
    "an unknown write is seen, gone, and seen again": [
        write(0, 1, 1), write(2, inf, 2), read(3, 4, 2), read(5, 6, 1), read(7, 8, 2),
    ],
    "an unknown write is seen before it was sent": [read(0, 1, 2), write(2, inf, 2)],
}  # fmt: skip

ACCEPTED = {
    "nothing": [],
    "a read during a write may see the value before": [write(0, 4, 1), read(1, 2, None), read(3, 5, 1)],
    "a read during a write may see it": [write(0, 4, 1), read(1, 2, 1)],
    "an unknown write never happens": [write(0, 1, 1), write(2, inf, 2), read(3, 4, 1), read(5, 6, 1)],
    "an unknown write happens much later": [write(0, 1, 1), write(2, inf, 2), read(3, 4, 1), read(5, 6, 2)],
    "concurrent writes end up in either order": [write(0, 9, 1), write(0, 9, 2), read(10, 11, 1)],
}


@pytest.mark.parametrize("name", REFUTED)
def test_refutes(name: str) -> None:
    assert not linearizable(REFUTED[name])


@pytest.mark.parametrize("name", ACCEPTED)
def test_accepts(name: str) -> None:
    assert linearizable(ACCEPTED[name])


@st.composite
def from_a_register(draw: st.DrawFn) -> list[Event]:
    """A history that a real register made: each operation takes effect at its own integer moment."""
    value: int | None = None
    events = []
    spread = st.floats(0, 6, allow_nan=False)
    for moment in range(draw(st.integers(0, 14))):
        start, end = moment - draw(spread), moment + draw(spread)
        if draw(st.booleans()):
            value = moment
            events.append(write(start, inf if draw(st.booleans()) else end, value))
        else:
            events.append(read(start, end, value))
    for value_lost in range(draw(st.integers(0, 3))):
        events.append(write(draw(spread), inf, 100 + value_lost))
    return draw(st.permutations(events))


@given(from_a_register())
def test_whatever_a_register_does_is_accepted(history: list[Event]) -> None:
    assert linearizable(history)


def by_definition(history: list[Event]) -> bool:
    """The definition, by trying every subset of unknown writes and every order."""
    unknown = [event for event in history if event.end == inf]
    known = [event for event in history if event.end < inf]
    for size in range(len(unknown) + 1):
        for happened in itertools.combinations(unknown, size):
            for order in itertools.permutations([*known, *happened]):
                if legal(order):
                    return True
    return False


def legal(order: tuple[Event, ...]) -> bool:
    if any(later.end < earlier.start for earlier, later in itertools.combinations(order, 2)):
        return False
    value = None
    for event in order:
        if event.write:
            value = event.value
        elif event.value != value:
            return False
    return True


@st.composite
def anything(draw: st.DrawFn) -> list[Event]:
    """Any small history with unique values, right or wrong."""
    times = st.integers(0, 8)
    events = []
    for value in range(draw(st.integers(0, 3))):
        start = draw(times)
        events.append(write(start, draw(st.one_of(st.just(inf), st.integers(start, 9))), value))
    for _ in range(draw(st.integers(0, 3))):
        start = draw(times)
        events.append(read(start, draw(st.integers(start, 9)), draw(st.sampled_from([None, 0, 1, 2]))))
    return events


@settings(max_examples=1000, deadline=None)
@given(anything())
def test_agrees_with_the_definition(history: list[Event]) -> None:
    assert linearizable(history) == by_definition(history)


def test_an_outage_that_makes_thousands_of_writes_overlap_is_checked_at_once() -> None:
    writes = [write(0, inf if n % 2 else 10_000, n) for n in range(3000)]
    right = [read(n + 0.1, n + 0.9, n) for n in range(3000)]
    assert linearizable([*writes, *right])
    assert not linearizable([*writes, *right, read(5000, 5001, 7)])


def record(operation: Operation, outcome: Outcome, sent: float | None) -> Record:
    return Record("endpoint", Connection.NEW, operation, "register-0", 1, 0.0, sent, 2.0, outcome, "")


def test_a_write_that_was_never_sent_or_was_refused_is_not_in_the_history() -> None:
    assert not histories([record(Operation.WRITE, Outcome.TIMED_OUT, None)])
    assert not histories([record(Operation.WRITE, Outcome.REFUSED, 1.0)])


@pytest.mark.parametrize("outcome", [Outcome.UNKNOWN, Outcome.TIMED_OUT])
def test_a_failed_write_that_was_sent_may_happen_at_any_later_time(outcome: Outcome) -> None:
    assert histories([record(Operation.WRITE, outcome, 1.0)]) == {"register-0": [write(1.0, inf, 1)]}


def test_a_failed_read_says_nothing() -> None:
    assert not histories([record(Operation.READ, Outcome.TIMED_OUT, 1.0)])
