"""Drift: every difference between the state and what is really there is told, and nothing else."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from policy.differences import compared, differences, real_state, steps

URN = "urn:pulumi:s::p::kube-ha:aws:ControlPlane$aws:lb/loadBalancer:LoadBalancer::plane"
VALUES = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", min_size=1, max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)


def step(old: dict[str, Any], new: dict[str, Any] | None) -> dict[str, Any]:
    return {"op": "update" if new else "delete", "urn": URN, "old": old, "new": new}


def test_a_changed_input_is_told_with_both_values() -> None:
    found = differences([step({"inputs": {"a": {"b": [1, 2]}}}, {"inputs": {"a": {"b": [1, 3]}}})])
    assert [str(difference) for difference in found] == ["aws:lb/loadBalancer:LoadBalancer plane: a.b[1] was 2, is 3"]


def test_a_provider_that_reads_no_inputs_tells_by_its_outputs() -> None:
    old = {"inputs": {"flag": True}, "outputs": {"flag": True, "requests": 1}}
    new = {"inputs": {"flag": True}, "outputs": {"flag": False, "requests": 2}}
    assert [(found.path, found.now) for found in differences([step(old, new)])] == [("flag", False)]


def test_what_the_cloud_sets_by_itself_is_no_drift() -> None:
    assert differences([step({"inputs": {"a": 1}}, {"inputs": {"a": 1, "default": 2}})]) == []


def test_a_resource_that_is_gone_is_told_and_not_judged() -> None:
    gone = step({"inputs": {}}, None)
    assert [str(found) for found in differences([gone])] == ["aws:lb/loadBalancer:LoadBalancer plane: is gone"]
    exported = {"version": 3, "deployment": {"resources": [{"urn": URN, "inputs": {}}, {"urn": "urn:other"}]}}
    assert real_state(exported, [gone]) == {"version": 3, "deployment": {"resources": [{"urn": "urn:other"}]}}


def test_a_stack_that_was_never_up_has_no_drift() -> None:
    assert real_state({"version": 3, "deployment": {}}, []) == {"version": 3, "deployment": {"resources": []}}


def test_what_is_judged_is_what_is_there() -> None:
    exported = {"version": 3, "deployment": {"resources": [{"urn": URN, "id": "1", "inputs": {"a": 1}}]}}
    (judged,) = real_state(exported, [step({"inputs": {"a": 1}}, {"inputs": {"a": 2}, "outputs": {"a": 2}})])[
        "deployment"
    ]["resources"]
    assert judged == {"urn": URN, "id": "1", "inputs": {"a": 2}, "outputs": {"a": 2}}


def test_only_what_differs_is_taken_from_the_events() -> None:
    events: list[dict[str, Any]] = [
        {"preludeEvent": {}},
        {"resourcePreEvent": {"metadata": step({}, {"inputs": {}})}},
        {"resOutputsEvent": {"metadata": {"op": "same", "urn": "urn:same"}}},
        {"resOutputsEvent": {"metadata": step({}, None)}},
    ]
    assert [found["urn"] for found in steps(events)] == [URN]


@settings(deadline=None)
@given(VALUES, VALUES)
def test_values_differ_if_and_only_if_a_path_is_told(one: Any, other: Any) -> None:
    assert bool(list(compared(one, other, ""))) is (
        json.dumps(one, sort_keys=True) != json.dumps(other, sort_keys=True)
    )
