"""Finished drills on disk: `<output>/<fault>/<number>/` holds records.jsonl and run.json."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from drills.drill import Drilled

RUN: Final = "run.json"
_DRILLED: Final = TypeAdapter(Drilled)


class StoreError(Exception):
    """What is in the folder cannot be read; names the file."""


def folder(output: Path, fault: str) -> Path:
    """A folder for the next run of a fault, made; one whose run was not finished is used again.

    Raises:
        StoreError: it cannot be made.
    """
    made = next(place for number in count(1) if not ((place := output / fault / str(number)) / RUN).exists())
    try:
        made.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{made}: cannot be made ({error.strerror}). Name another OUTPUT.") from error
    return made


def save(drilled: Drilled) -> None:
    """Write a finished drill beside its records: all of it, or nothing."""
    file = drilled.records.parent / RUN
    fresh = file.with_suffix(".new")
    fresh.write_bytes(_DRILLED.dump_json(drilled, indent=1))
    fresh.replace(file)


def load(output: Path) -> Mapping[str, Sequence[Drilled]]:
    """Finished drills by fault, the oldest first.

    Raises:
        StoreError: one was written by another version of the drills.
    """
    runs = [(file.parent.parent.name, _read(file)) for file in output.glob(f"*/*/{RUN}")]
    found: dict[str, list[Drilled]] = {}
    for name, drilled in sorted(runs, key=lambda one: one[1].at):
        found.setdefault(name, []).append(drilled)
    return found


def comparable(found: Mapping[str, Sequence[Drilled]]) -> Mapping[str, Sequence[Drilled]]:
    """Those that were made under the conditions of the newest: its stack and program, and its fault's own newest."""
    if not found:
        return {}
    newest = max((runs[-1] for runs in found.values()), key=lambda one: one.at).conditions
    same = {name: [one for one in runs if one.conditions == runs[-1].conditions] for name, runs in found.items()}
    now = (newest.stack, newest.program)
    return {name: runs for name, runs in same.items() if (runs[0].conditions.stack, runs[0].conditions.program) == now}


def _read(file: Path) -> Drilled:
    try:
        drilled = _DRILLED.validate_json(file.read_bytes())
    except ValidationError as error:
        raise StoreError(f"{file}: written by another version of the drills. Name another OUTPUT.") from error
    # The folder may have been moved since, and its path is relative to where the drill was started.
    return replace(drilled, records=file.with_name(drilled.records.name))
