"""How many times as long clients suffer on the usual cluster."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drills.comparison import RESOLUTION, compare, ratio
from drills.conditions import Conditions
from drills.drill import Drilled, Trace
from tests.drills.test_judge import FAULT, run


def drilled(*failures: tuple[float, float]) -> Drilled:
    return Drilled(run(failures), Trace(), Path("records"), Conditions("local", "p", "f", "l"), 0.0)


def test_medians_are_compared_per_mark() -> None:
    ours = {"cut": [drilled((10.0, 10.5)), drilled((10.0, 11.0)), drilled((10.0, 11.5))]}
    cut, heal = compare([FAULT], ours, {"cut": [drilled((10.0, 20.0))]})
    assert cut.last_failure == pytest.approx(10.0, rel=0.1)
    assert heal.last_failure == 1.0


def test_a_fault_that_only_one_had_is_left_out() -> None:
    assert list(compare([FAULT], {"cut": [drilled()]}, {})) == []


@given(st.floats(0, 100), st.floats(0, 100))
def test_a_ratio_is_never_of_what_was_not_seen(usual: float, ours: float) -> None:
    assert ratio(usual, ours) <= max(usual, RESOLUTION) / RESOLUTION
    assert ratio(usual, ours) * ratio(ours, usual) == pytest.approx(1)
