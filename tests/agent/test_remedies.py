"""Remedies: patience first, growing pauses, a budget; and no machine is taken away that the others could not spare."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.node.remedies import (
    FIRST_PAUSE_SECONDS,
    OTHERS_REPLACEMENT_SECONDS,
    OWN_REPLACEMENT_SECONDS,
    PATIENCE_SECONDS,
    RESTARTS,
    WINDOW_SECONDS,
    Part,
    Remedy,
    decide,
    may_not_replace,
)


def history(part: Part, well: list[bool], round_seconds: float, *, etcd_serves: bool = True) -> list[tuple[float, str]]:
    """When something was done, for a part that was well or not in each round."""
    since: float | None = None
    restarts: list[float] = []
    done: list[tuple[float, str]] = []
    for number, is_well in enumerate(well):
        now = number * round_seconds
        since = None if is_well else now if since is None else since
        if since is None:
            continue
        decision = decide(part, now - since, [now - then for then in restarts], etcd_serves=etcd_serves)
        if decision.remedy is Remedy.RESTART:
            restarts.append(now)
        if decision.remedy is not Remedy.WAIT:
            done.append((now, str(decision.remedy)))
        if decision.remedy is Remedy.REPLACE:
            break
    return done


@pytest.mark.parametrize("part", Part)
def test_what_stays_unwell_is_restarted_three_times_and_then_replaced(part: Part) -> None:
    done = history(part, [False] * 200, 30)
    assert [remedy for _, remedy in done] == ["restart"] * RESTARTS + ["replace"]
    assert done[0][0] == pytest.approx(PATIENCE_SECONDS[part], abs=30)
    assert done[-1][0] < WINDOW_SECONDS / 2, "soon enough for whoever is on call"


@given(st.sampled_from(Part), st.lists(st.booleans(), max_size=400), st.sampled_from([10, 30, 60]))
def test_no_history_is_answered_with_more_than_the_budget(part: Part, well: list[bool], seconds: float) -> None:
    done = history(part, well, seconds)
    restarts = [time for time, remedy in done if remedy == "restart"]
    for time in restarts:
        assert sum(time - WINDOW_SECONDS < other <= time for other in restarts) <= RESTARTS
    for one, other in pairwise(restarts):
        assert other - one >= FIRST_PAUSE_SECONDS
    for time, remedy in done:
        assert remedy == "restart" or len([other for other in restarts if other < time]) >= RESTARTS


@given(st.sampled_from(Part), st.lists(st.booleans(), max_size=100))
def test_what_is_well_again_in_time_is_left_alone(part: Part, well: list[bool]) -> None:
    patient = int(PATIENCE_SECONDS[part] // 30)
    broken_up = [value for group in well for value in ([False] * patient + [True] if not group else [True])]
    assert history(part, broken_up, 30) == []


@pytest.mark.parametrize("part", Part)
def test_a_lost_quorum_is_no_parts_fault(part: Part) -> None:
    done = history(part, [False] * 200, 30, etcd_serves=False)
    assert bool(done) == (part in {Part.KUBELET, Part.CONTAINERD})


@pytest.mark.parametrize(
    ("own", "others", "hindrance"),
    [
        (None, {}, None),
        (None, {"master-2": OTHERS_REPLACEMENT_SECONDS}, None),
        (None, {"master-3": 9e9, "master-2": OTHERS_REPLACEMENT_SECONDS - 60}, "master-2 was replaced 59 minutes ago"),
        (OWN_REPLACEMENT_SECONDS, {}, None),
        (600, {}, "10 minutes ago did not help: it needs a person"),
    ],
)
def test_machines_go_one_an_hour_and_each_once_in_six(
    own: float | None, others: dict[str, float], hindrance: str | None
) -> None:
    said = may_not_replace(own, others)
    assert said is None if hindrance is None else hindrance in str(said)
