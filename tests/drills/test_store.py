"""What a campaign keeps: whole runs only, and of these the ones that are repeats of each other are counted."""

from dataclasses import replace
from pathlib import Path

import pytest

from drills import store
from drills.conditions import Conditions
from drills.drill import Drilled, Trace
from tests.drills.test_judge import run

NOW = Conditions("local", "p", "f", "l")


def drilled(records: Path, at: float, under: Conditions = NOW) -> Drilled:
    return Drilled(run(), Trace(), records, under, at)


def test_a_run_that_was_not_finished_is_done_again_in_its_place(tmp_path: Path) -> None:
    first = store.folder(tmp_path, "cut")
    store.save(drilled(first / "records.jsonl", 1.0))
    unfinished = store.folder(tmp_path, "cut")
    assert unfinished == tmp_path / "cut" / "2"
    assert store.folder(tmp_path, "cut") == unfinished


def test_what_was_saved_is_loaded_the_oldest_first(tmp_path: Path) -> None:
    runs = []
    for at in (3.0, 1.0, 2.0):
        runs.append(drilled(store.folder(tmp_path, "cut") / "records.jsonl", at))
        store.save(runs[-1])
    assert store.load(tmp_path) == {"cut": sorted(runs, key=lambda one: one.at)}


def test_an_output_folder_that_was_moved_still_has_its_records(tmp_path: Path) -> None:
    store.save(drilled(store.folder(tmp_path / "then", "cut") / "records.jsonl", 1.0))
    (tmp_path / "then").rename(tmp_path / "now")
    (found,) = store.load(tmp_path / "now")["cut"]
    assert found.records == tmp_path / "now" / "cut" / "1" / "records.jsonl"


def test_an_output_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(store.StoreError, match=r"file/cut/1: cannot be made \(Not a directory\)"):
        store.folder(tmp_path / "file", "cut")


def test_a_run_of_another_version_of_the_drills_is_named(tmp_path: Path) -> None:
    (store.folder(tmp_path, "cut") / "run.json").write_text('{"p99": 3}')
    with pytest.raises(store.StoreError, match=r"cut/1/run\.json.*OUTPUT"):
        store.load(tmp_path)


def test_only_repeats_under_the_newest_conditions_are_compared() -> None:
    place = Path("records")
    old = drilled(place, 1.0, replace(NOW, program="old"))
    steps = drilled(place, 2.0, replace(NOW, fault="other steps"))
    kept = drilled(place, 3.0)
    found = {"cut": [old, steps, kept], "kill": [drilled(place, 0.5), drilled(place, 0.6)], "drain": [old]}
    assert store.comparable(found) == {"cut": [kept], "kill": found["kill"]}
    assert store.comparable({}) == {}
