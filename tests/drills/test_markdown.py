"""A campaign as Markdown has the figures of all runs, and floors apart from targets."""

from dataclasses import replace

from drills.fault import Fault
from drills.markdown import COLUMNS, NOTHING, page
from drills.summary import summarize
from drills.verdict import Mark, MarkKind
from tests.drills.test_judge import FAULT, FLOOR, MARKS, run


def cells(text: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| ")
    ]


def test_a_fault_is_one_line_with_its_heal_beside_it() -> None:
    runs = [run(((10.0, 10.5),)), run(((10.0, 10.5), (20.0, 21.0))), run(), replace(run(), probe_late=9.0)]
    head, row = cells(page([summarize(FAULT, runs, FLOOR)]))
    found = dict(zip(head, row, strict=True))
    assert head == list(COLUMNS)
    assert (found["fault"], found["runs"]) == ("A cut", "3 and 1 void")
    assert found["last failed new request"] == "0 / 0.45 / 0.45"
    assert found["after the heal"] == "1 of 3: 0.95"
    assert found["of five minutes' slow requests"] == "17 / 50 %"
    assert found["lost"] == "0 of 40"


def test_a_fault_without_a_heal_has_none_and_each_machine_of_a_roll_a_line() -> None:
    steps = [{"do": "roll", "target": "everything"}]
    roll = Fault.model_validate({"name": "roll", "title": "A roll", "steps": steps})
    marks = tuple(Mark(mark.at, mark.done, MarkKind.FAULT, f"power off {number}") for number, mark in enumerate(MARKS))
    rows = cells(page([summarize(roll, [replace(run(), marks=marks)], FLOOR)]))[1:]
    assert [row[0] for row in rows] == ["A roll", "… power off 1"]
    assert {row[3] for row in rows} == {NOTHING}


def test_floors_are_told_apart_from_targets_and_both_add_up() -> None:
    cut = summarize(FAULT, [run(((20.0, 51.0),))], FLOOR)
    text = page([cut, summarize(FAULT, [run()], FLOOR)])
    floors, targets = text.split("Floors that did not hold:")[1].split("Targets that were missed:")
    assert "floor 30.0 s" in floors
    assert "failed requests; target 0" not in floors
    assert "failed requests; target 0" in targets
    assert "2 runs, 0 void; 0 of 20 acknowledged writes are lost." in text
