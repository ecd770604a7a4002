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


def test_each_kind_of_client_has_its_reads_and_its_writes() -> None:
    (cut, heal) = summarize(FAULT, [run(((10.0, 10.5),)), run()], FLOOR).rows
    assert [(one.connection, one.operation) for one in cut.clients] == [("new", "create"), ("new", "read")]
    writes = cut.clients[0]
    assert writes.failed == pytest.approx(10 / 400)
    assert (writes.in_a_row, writes.last_failure.low) == (10, 0.0)
    assert writes.last_failure.high == pytest.approx(0.45)
    assert writes.longest_gap.high == pytest.approx(0.55)
    assert (cut.failing, heal.failing) == (1, 0)


def test_what_never_failed_is_not_said_to_have_failed_at_once() -> None:
    (cut, _) = summarize(FAULT, [run()], FLOOR).rows
    assert str(cut.last_failure) == "none"


def test_what_failed_is_said_before_what_missed_a_target() -> None:
    bad = replace(run(((20.2, 20.3),)), missing=("node",))
    found = [one.verdict for one in summarize(FAULT, [run(((20.2, 20.3),)), bad], FLOOR).findings]
    assert found == [Verdict.FAILED, Verdict.MISSED]
