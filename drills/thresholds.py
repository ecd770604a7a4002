"""What a drill must not exceed: floors that fail a run, targets that we set ourselves."""

from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel, ConfigDict

from drills.verdict import MarkKind

MIN_ACHIEVED: Final = 0.9
"""Share of the intended rate that every stream must have had acknowledged before the fault, or the run is void."""

MIN_BASELINE_SECONDS: Final = 3.0
"""Less before the fault says nothing about the load."""

MAX_LATE_SECONDS: Final = 0.25
"""A probe that was later than this with a request measured its own machine: a sixth of what the targets allow."""


MIN_COUNTED: Final = 100
"""A 99th percentile of fewer requests than this is their slowest one."""


@dataclass(frozen=True)
class Floor:
    """A run that is worse than this has failed."""

    failover_seconds: float
    """Longest gap of acknowledged writes through the endpoint, and time of the last failed new request."""


class Target(BaseModel):
    """Our own goal for one window, for clients of the endpoint with new connections."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    last_failure_median: float | None = None
    """Seconds after the mark, over repeats."""
    last_failure_max: float | None = None
    failed: int | None = None
    """Requests that may fail, of all endpoint streams with a timeout of 1 s."""
    in_a_row: int | None = None
    """Requests of one such stream that may fail one after another; 1 is what a client that retries once never feels."""


FLOORS: Final = {
    "development": None,
    "production": Floor(failover_seconds=30.0),
    "critical": Floor(failover_seconds=30.0),
}
"""Per scenario. One master promises no failover: in development only durability is judged. 30 s are what the project
promises; so is a 99th percentile of 500 ms, which drills/latency.py defines."""

TARGETS: Final = {
    MarkKind.FAULT: Target(last_failure_median=0.5, last_failure_max=1.5),
    MarkKind.HEAL: Target(failed=0),
}
"""Where a fault's declaration says nothing else. Prototypes of this design reached them."""


class ScenarioError(Exception):
    """No such scenario."""


def floor(scenario: str) -> Floor | None:
    """The floor of a scenario; None where there is none.

    Raises:
        ScenarioError: unknown scenario.
    """
    if scenario not in FLOORS:
        raise ScenarioError(f"scenario: {scenario!r} is unknown; one of {', '.join(FLOORS)}.")
    return FLOORS[scenario]
