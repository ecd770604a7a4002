"""A bad cluster counts as found out only for its own reason."""

from dataclasses import replace

import pytest

from drills import control
from drills.control import Symptom, measure, missed
from drills.journal import Durability
from drills.judge import Run, Verdict
from tests.drills.test_judge import run

CONTROLS = control.load()
LONG = run(((10.0, 44.0),))


def lossy(one: Run) -> Run:
    return replace(one, durability=Durability(10, {"a": ("entry-1", "entry-2"), "b": ("entry-2",)}, {"a": 1}))


def test_symptoms_are_measured_as_clients_felt_them() -> None:
    assert measure(lossy(run()), Symptom.LOST_WRITES) == 2
    assert measure(LONG, Symptom.LONGEST_GAP) == pytest.approx(34.0, abs=0.2)
    assert measure(run(((10.0, 10.3), (15.0, 15.2))), Symptom.LAST_FAILURE) == pytest.approx(5.15, abs=0.1)


@pytest.mark.parametrize(
    ("name", "bad"), [("no-fsync", lossy(run())), ("one-master", LONG), ("slow-election", run(((10.0, 15.0),)))]
)
def test_a_cluster_that_fails_for_its_own_reason_is_found_out(name: str, bad: Run) -> None:
    assert missed(CONTROLS[name], bad, Verdict.FAILED) is None


def test_a_cluster_that_fails_for_another_reason_is_not() -> None:
    assert "lost-writes is 0.0" in (missed(CONTROLS["no-fsync"], LONG, Verdict.FAILED) or "")


@pytest.mark.parametrize("verdict", [Verdict.PASSED, Verdict.VOID])
def test_a_verdict_that_says_nothing_bad_is_not(verdict: Verdict) -> None:
    assert missed(CONTROLS["no-fsync"], lossy(run()), verdict)
