"""Figures over repeats are of those that say something; what was lost counts in all."""

from dataclasses import replace

import pytest

from drills.journal import Durability
from drills.judge import Verdict
from drills.summary import counted, summarize
from tests.drills.test_judge import FAULT, FLOOR, run

LATE = replace(run(((10.0, 19.0),)), probe_late=1.0)


def test_a_void_run_beside_sound_ones_is_counted_and_in_no_figure() -> None:
    summary = summarize(FAULT, [run(((10.0, 10.3),)), LATE], FLOOR)
    assert counted(summary) == "1 and 1 void"
    assert summary.rows[0].last_failure.high == pytest.approx(0.25)
    assert summary.verdict is Verdict.PASSED
    assert [finding.verdict for finding in summary.findings] == [Verdict.VOID]


def test_of_void_runs_alone_nothing_is_said() -> None:
    assert summarize(FAULT, [LATE], FLOOR).verdict is Verdict.VOID


def test_what_a_void_run_lost_fails_the_fault() -> None:
    lost = replace(LATE, durability=Durability(10, {"a": ("entry-1",)}, {}))
    summary = summarize(FAULT, [run(), lost], FLOOR)
    assert (summary.verdict, summary.lost, summary.acknowledged) == (Verdict.FAILED, 1, 20)
