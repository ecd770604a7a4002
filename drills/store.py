"""Finished drills on disk: `<output>/<fault>/<number>/` holds records.jsonl and run.json."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter

from drills.drill import Drilled

_DRILLED: Final = TypeAdapter(Drilled)


def folder(output: Path, fault: str, number: int) -> Path:
    """The folder of one repeat of a fault, made."""
    made = output / fault / str(number)
    made.mkdir(parents=True, exist_ok=True)
    return made


def save(drilled: Drilled) -> None:
    """Write a finished drill beside its records."""
    (drilled.records.parent / "run.json").write_bytes(_DRILLED.dump_json(drilled, indent=1))


def load(output: Path) -> Mapping[str, Sequence[Drilled]]:
    """Finished drills by fault, faults in the order in which they were drilled."""
    files = sorted(output.glob("*/*/run.json"), key=lambda path: path.stat().st_mtime)
    found: dict[str, list[Drilled]] = {}
    for file in files:
        found.setdefault(file.parent.parent.name, []).append(_DRILLED.validate_json(file.read_bytes()))
    return found
