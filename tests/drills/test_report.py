"""The page shows at a glance what broke the promise of five minutes, and says the details once."""

import pytest

from drills.report import Shown, render
from drills.summary import summarize
from tests.drills.test_judge import FAULT, FLOOR, run


@pytest.mark.parametrize(
    ("until", "bar"), [(11.5, 'within" style="--share:50%">50%'), (16.0, 'over" style="--share:100%">200%')]
)
def test_more_than_all_of_five_minutes_slow_requests_looks_other_than_less(until: float, bar: str) -> None:
    summary = summarize(FAULT, [run(), run(((10.0, until),))], FLOOR)
    page = render("local", [], [Shown(summary, [])])
    assert page.count('class="used ') == 1
    assert f'class="used {bar}<' in page
    assert "at worst: create 10 ms" in page
