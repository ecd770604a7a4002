"""Negative controls: clusters made bad on purpose, each of which the suite must find out, for its own reason."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from drills.alteration import Alteration
from drills.declaration_errors import words
from drills.fault import Fault, FaultError
from drills.judge import Run, Verdict

DECLARATIONS: Final = Path(__file__).parent / "controls"


class Symptom(StrEnum):
    """What gives a bad cluster away."""

    LOST_WRITES = "lost-writes"
    LAST_FAILURE = "last-failure"
    """Seconds after the fault at which a new request through the endpoint still failed, though others did not."""
    LONGEST_GAP = "longest-gap"
    """Seconds without an acknowledged write of new connections through the endpoint."""


class Sign(BaseModel):
    """A symptom, and how strong it must be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    what: Symptom
    at_least: float = Field(alias="at-least", gt=0)


class Control(BaseModel):
    """A declaration."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9-]+$")
    title: str
    alteration: Alteration
    found: Sign
    fault: Fault


def load(folder: Path = DECLARATIONS) -> Mapping[str, Control]:
    """All declared controls by name, in the order of their files.

    Raises:
        FaultError: a declaration is wrong; names the file and the key.
    """
    found: dict[str, Control] = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            control = Control.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        except (yaml.YAMLError, ValidationError) as error:
            raise FaultError(f"{path.name}: {words(error)}") from error
        found[control.name] = control
    return found


def measure(run: Run, symptom: Symptom) -> float:
    """How strong a symptom is in a run, after its first mark."""
    if symptom is Symptom.LOST_WRITES:
        return len(set().union(*run.durability.lost.values()))
    windows = [run.windows("endpoint", "new", operation)[0] for operation in ("create", "read")]
    if symptom is Symptom.LONGEST_GAP:
        return windows[0].longest_gap
    return max(window.last_failure for window in windows)


def missed(control: Control, run: Run, verdict: Verdict) -> str | None:
    """Why the suite did not find this bad cluster out; None when it did."""
    if verdict in {Verdict.PASSED, Verdict.VOID}:
        return f"{control.name}: the verdict is {verdict!s}, on a cluster that is bad"
    found = measure(run, control.found.what)
    if found < control.found.at_least:
        return (
            f"{control.name}: {verdict!s}, but not for its own reason: {control.found.what} is {found:.1f},"
            f" {control.found.at_least:g} or more was to be found"
        )
    return None
