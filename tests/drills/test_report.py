"""The page shows at a glance what broke the promise of five minutes, and says the details once."""

from dataclasses import replace

import pytest

from drills.judge import Run
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


def page(*runs: Run) -> str:
    return render("local", [], [Shown(summarize(FAULT, list(runs), FLOOR), [])])


def test_what_fails_the_drill_stands_before_the_table() -> None:
    top = page(run(((10.0, 10.9),)), replace(run(), missing=("pod x is in crash back-off",))).split("<table")[0]
    assert "<h1>1 failed</h1>" in top
    assert "run 2: not whole again: pod x is in crash back-off" in top
    assert "target" not in top


def test_each_kind_of_client_is_there_with_reads_and_writes() -> None:
    rows = page(run(((10.0, 10.5),))).split("Each kind of client")[1].split("<tr>")[2:]
    assert [row.split("<td class=l>")[1].split("<")[0] for row in rows] == ["new create", "new read"] * 2
    assert ["<td>5.0%</td>" in rows[0], "<td>0.0%</td><td>0</td><td>none</td>" in rows[3]] == [True, True]


def test_of_an_expected_outage_it_is_said_that_what_clients_felt_is_not_judged() -> None:
    outage = FAULT.model_copy(update={"outage": True})
    shown = render("local", [], [Shown(summarize(outage, [run(((10.0, 60.0),))], FLOOR), [])])
    assert "what clients felt is not judged" in shown
    assert "not judged" not in page(run())
