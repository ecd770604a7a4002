"""Runs are repeats of each other only under equal conditions."""

import json
from dataclasses import replace
from typing import Any

import pytest

from components.node.machine import MACHINE_FILE
from drills import fault, load, probe
from drills.conditions import Conditions, conditions, program

FAULT = fault.load()["second-fault"]
STREAMS = probe.streams(("10.0.0.10", 6443), {"master-1": ("10.0.1.21", 6443)})
LOAD = load.load(fault.DECLARATIONS.parent / "loads" / "configmaps.yaml")
BASE = conditions("local", "p", FAULT, STREAMS, None)


def user_data(uid: str, agent: str = "a") -> str:
    document = {"uid": uid, "name": "master-1"}
    files = [
        {"path": str(MACHINE_FILE), "content": json.dumps(document)},
        {"path": "/bootstrap", "content": f"fetch {agent} of {uid}"},
    ]
    return "#cloud-config\n" + json.dumps({"write_files": files}) + "\n"


@pytest.mark.parametrize(
    "other",
    [
        conditions("local-critical", "p", FAULT, STREAMS, None),
        conditions("local", "q", FAULT, STREAMS, None),
        conditions("local", "p", fault.load()["leader-cut"], STREAMS, None),
        conditions("local", "p", FAULT, STREAMS[:-1], None),
        conditions("local", "p", FAULT, STREAMS, LOAD),
        conditions("local", "p", FAULT, STREAMS, load.times(LOAD, 2)),
    ],
    ids=["stack", "program", "steps", "probe", "load", "load's rate"],
)
def test_another_condition_is_another(other: Conditions) -> None:
    assert other != BASE


def test_where_the_endpoint_is_and_what_is_expected_change_nothing() -> None:
    elsewhere = [replace(stream, host="10.9.9.9") for stream in STREAMS]
    steps: list[Any] = [step.model_dump() | ({"expect": None} if "expect" in step.model_dump() else {})
                        for step in FAULT.steps]  # fmt: skip
    lenient = fault.Fault.model_validate(FAULT.model_dump() | {"steps": steps})
    assert lenient != FAULT
    assert conditions("local", "p", lenient, elsewhere, None) == BASE


def test_the_same_program_of_another_cluster_is_the_same() -> None:
    assert program([user_data("0123"), user_data("0123", "b")]) == program([user_data("4567", "b"), user_data("4567")])


def test_another_program_is_another() -> None:
    assert program([user_data("0123")]) != program([user_data("0123", "b")])
