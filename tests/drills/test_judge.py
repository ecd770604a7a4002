"""A floor that does not hold fails a fault, a target only misses, and a run without load is void."""

from dataclasses import replace
from typing import Any

import pytest

from drills.fault import Fault
from drills.journal import Durability
from drills.judge import Run, Verdict, judge, worst
from drills.latency import Latency, latencies
from drills.record import Connection, Operation, Outcome, Record
from drills.server_latency import Served
from drills.thresholds import Floor, ScenarioError, floor
from drills.verdict import Mark, MarkKind, felt

FLOOR = Floor(failover_seconds=30.0)
STEPS = [{"do": "cut", "target": "master", "how": "link"}, {"do": "wait", "seconds": 10}, {"do": "heal"}]
FAULT = Fault.model_validate({"name": "cut", "title": "A cut", "steps": STEPS})
MARKS = (Mark(10.0, 10.1, MarkKind.FAULT, "cut master-1"), Mark(20.0, 20.1, MarkKind.HEAL, "heal"))


def run(failures: tuple[tuple[float, float], ...] = (), took: float = 0.01, rate: float = 1.0) -> Run:
    """A run in which the requests to be sent in the stretches `failures` fail."""
    records = []
    for kind, operation in ((Connection.NEW, Operation.CREATE), (Connection.NEW, Operation.READ)):
        for number in range(1600):
            at = number * 0.05
            bad = any(begin <= at < end for begin, end in failures) or (at < 10 and number % 10 >= 10 * rate)
            outcome = Outcome.TIMED_OUT if bad else Outcome.ACKNOWLEDGED
            records.append(Record("endpoint", kind, operation, "k", number, at, at, at + took, outcome, ""))
    return Run(
        targets=("master-1",),
        marks=MARKS,
        baseline_seconds=10.0,
        felt=tuple(felt(records, MARKS, 80.0)),
        latency=latencies(records, 10.0),
        durability=Durability(10, {}, {"a": 1, "b": 1}),
        broken_registers=(),
        redundancy_seconds=3.0,
        missing=(),
        load_share=None,
        probe_late=0.01,
    )


def verdict(*runs: Run, limit: Floor | None = FLOOR) -> Verdict:
    return worst(judge(FAULT, runs, limit))


def test_a_run_without_a_failure_passes() -> None:
    assert verdict(run()) is Verdict.PASSED


def test_a_failure_after_the_target_misses_and_before_it_passes() -> None:
    assert verdict(run(((10.0, 10.45),))) is Verdict.PASSED
    assert verdict(run(((10.0, 11.7),))) is Verdict.MISSED


def test_the_median_has_a_target_of_its_own() -> None:
    slow, quick = run(((10.0, 11.2),)), run(((10.0, 10.2),))
    assert verdict(slow, quick, quick) is Verdict.PASSED
    assert verdict(slow, slow, quick) is Verdict.MISSED


def test_a_target_of_several_runs_names_no_machine_that_only_one_of_them_hit() -> None:
    other = replace(run(((10.0, 11.7),)), marks=(replace(MARKS[0], label="cut master-2"), MARKS[1]))
    assert {one.text.split(":")[0] for one in judge(FAULT, [run(), other], FLOOR) if "target 1.5" in one.text} == {
        "cut"
    }


def test_a_p99_of_many_runs_is_said_once_with_the_worst() -> None:
    runs = [
        replace(run(), latency={"create": Latency(p99=seconds, slow=1, allowed=30.0)}) for seconds in (0.6, 0.4, 0.7)
    ]
    (said,) = (one.text for one in judge(FAULT, runs, FLOOR))
    assert "in 2 of 3 runs: 700 ms at worst" in said


def test_one_bad_repeat_of_many_misses() -> None:
    quick = run(((10.0, 10.2),))
    assert verdict(quick, run(((10.0, 11.7),)), quick) is Verdict.MISSED


def test_a_failure_at_a_heal_misses() -> None:
    assert verdict(run(((20.2, 20.3),))) is Verdict.MISSED


def test_a_drain_may_fail_one_request_but_not_its_retry() -> None:
    steps = [{"do": "drain", "target": "master", "expect": {"in_a_row": 1}}, {"do": "heal"}]
    drain = Fault.model_validate({"name": "drain", "title": "A drain", "steps": steps})
    assert worst(judge(drain, [run(((10.0, 10.05), (12.0, 12.05)))], FLOOR)) is Verdict.PASSED
    assert worst(judge(drain, [run(((10.0, 10.1),))], FLOOR)) is Verdict.MISSED


def test_each_machine_of_a_roll_is_judged_by_itself() -> None:
    steps = [{"do": "roll", "target": "everything", "expect": {"in_a_row": 1, "last_failure_max": 1.5}}]
    roll = Fault.model_validate({"name": "roll", "title": "A roll", "steps": steps})
    assert worst(judge(roll, [run(((10.0, 10.05), (21.0, 21.05)))], FLOOR)) is Verdict.PASSED
    assert worst(judge(roll, [run(((21.0, 21.1),))], FLOOR)) is Verdict.MISSED


def test_an_outage_beyond_the_floor_fails() -> None:
    assert verdict(run(((20.0, 51.0),))) is Verdict.FAILED


def test_slow_answers_fail() -> None:
    assert verdict(run(took=0.6)) is Verdict.FAILED


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (Latency(p99=0.5, slow=30, allowed=30.0), Verdict.PASSED),
        (Latency(p99=0.6, slow=30, allowed=30.0), Verdict.MISSED),
        (Latency(p99=0.2, slow=31, allowed=30.0), Verdict.FAILED),
    ],
    ids=["the whole allowance", "slow within the drill alone", "more than five minutes allow"],
)
def test_the_promised_p99_is_judged_over_five_minutes_and_a_target_over_the_drill(
    one: Latency, expected: Verdict
) -> None:
    assert verdict(replace(run(), latency={"create": one})) is expected


@pytest.mark.parametrize(
    "harm",
    [
        {"durability": Durability(10, {"a": ("entry-1",)}, {})},
        {"durability": Durability(10, {}, {"a": 1, "b": 2})},
        {"broken_registers": ("register-0",)},
        {"missing": ("pod x is in crash back-off",)},
    ],
    ids=["lost write", "members differ", "not linearizable", "not whole again"],
)
def test_what_no_scenario_allows_fails_even_without_a_floor(harm: dict[str, Any]) -> None:
    assert verdict(replace(run(), **harm), limit=None) is Verdict.FAILED


def test_without_a_floor_an_outage_is_allowed() -> None:
    assert verdict(run(((10.0, 60.0),)), limit=None) is Verdict.PASSED


def test_a_run_without_its_load_is_void() -> None:
    assert verdict(run(rate=0.5)) is Verdict.VOID
    assert verdict(replace(run(), load_share=0.5)) is Verdict.VOID
    assert verdict(replace(run(), baseline_seconds=1.0)) is Verdict.VOID
    assert verdict(replace(run(), probe_late=0.5)) is Verdict.VOID


def test_of_a_void_run_only_what_was_lost_counts() -> None:
    outage = ((20.0, 51.0),)
    assert verdict(run(outage, rate=0.5)) is Verdict.VOID
    assert verdict(replace(run(outage, rate=0.5), missing=("node",))) is Verdict.FAILED


def test_void_runs_do_not_count_for_targets() -> None:
    texts = [one.text for one in judge(FAULT, [run(), replace(run(((10.0, 11.7),)), probe_late=1.0)], FLOOR)]
    assert [text for text in texts if "target" in text] == []


def test_every_repeat_counts() -> None:
    assert verdict(run(), replace(run(), missing=("node",))) is Verdict.FAILED


def test_an_unknown_scenario_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ScenarioError, match=r"'prod'.*production"):
        floor("prod")


@pytest.mark.parametrize(("quick", "expected"), [(990, Verdict.PASSED), (989, Verdict.MISSED)])
def test_a_hundredth_of_slow_answers_by_the_servers_own_count_misses(quick: int, expected: Verdict) -> None:
    assert verdict(replace(run(), served=(Served("PATCH", 1000, quick),))) is expected


def test_a_percentile_of_few_answers_says_nothing() -> None:
    assert verdict(replace(run(), served=(Served("PATCH", 99, 0),))) is Verdict.PASSED
