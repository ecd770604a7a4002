"""What is really there against what Pulumi's state says, from the events of a refresh that changes nothing. Pure."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

Step = Mapping[str, Any]
"""What the engine found of a resource: `metadata` of a `resOutputsEvent`."""


def steps(events: Iterable[Mapping[str, Any]]) -> list[Step]:
    """The resources among the engine's events that are not, or not as, the state has them."""
    found = [event["resOutputsEvent"]["metadata"] for event in events if "resOutputsEvent" in event]
    return [step for step in found if step["op"] in ("update", "delete")]


@dataclass(frozen=True)
class Difference:
    """A property, or with an empty path a whole resource, that is not as the program made it."""

    urn: str
    path: str
    was: Any
    now: Any

    def __str__(self) -> str:
        kind, name = self.urn.split("::")[2].split("$")[-1], self.urn.rsplit("::", 1)[-1]
        if not self.path:
            return f"{kind} {name}: is gone"
        return f"{kind} {name}: {self.path} was {json.dumps(self.was)}, is {json.dumps(self.now)}"


def differences(found: Sequence[Step]) -> list[Difference]:
    """What was changed behind the program's back."""
    return [difference for step in found for difference in of_step(step)]


def of_step(step: Step) -> Iterator[Difference]:
    old, new = step.get("old") or {}, step.get("new") or {}
    if step["op"] == "delete":
        yield Difference(step["urn"], "", None, None)
        return
    inputs = old.get("inputs") or {}
    # Not every provider answers a read with inputs; outputs of the same names say the same then.
    outputs = {name: value for name, value in (old.get("outputs") or {}).items() if name in inputs}
    found = chain(
        compared(inputs, new.get("inputs") or {}, "", only=inputs),
        compared(outputs, new.get("outputs") or {}, "", only=inputs),
    )
    seen = set()
    for path, was, now in found:
        if path not in seen:
            seen.add(path)
            yield Difference(step["urn"], path, was, now)


def compared(old: Any, new: Any, path: str, only: Mapping[str, Any] | None = None) -> Iterator[tuple[str, Any, Any]]:
    """Paths at which two values differ, with both values there; of the first level `only` these names."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in sorted(name for name in {*old, *new} if only is None or name in only):
            yield from compared(old.get(name), new.get(name), f"{path}.{name}" if path else name)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from compared(one, other, f"{path}[{index}]")
    elif old != new or isinstance(old, bool) is not isinstance(new, bool):
        yield path, old, new


def real_state(exported: Mapping[str, Any], found: Sequence[Step]) -> dict[str, Any]:
    """The state as a refresh would have left it: what `pulumi stack export` says, with what is really there."""
    deployment = exported["deployment"]
    gone = {step["urn"] for step in found if step["op"] == "delete"}
    touched = {step["urn"]: bags(step) for step in found}
    resources = [
        {**resource, **touched.get(resource["urn"], {})}
        for resource in deployment.get("resources", ())  # absent where nothing was ever up
        if resource["urn"] not in gone
    ]
    return {**exported, "deployment": {**deployment, "resources": resources}}


def bags(step: Step) -> dict[str, Any]:
    """Inputs and outputs as they really are."""
    state = step.get("new") or {}
    return {name: state[name] for name in ("inputs", "outputs") if name in state}
