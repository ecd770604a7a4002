"""The real engine, asked to do one thing and to say in events what it did."""

import json
import subprocess
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rehearsal import environment
from rehearsal.project import Project
from toolchain.cache import binary


@dataclass(frozen=True)
class Operation:
    """What the engine did with a resource: `create`, `update`, `replace`, `delete`, `same`, `refresh`."""

    kind: str
    type: str
    name: str
    changed: tuple[str, ...] = ()
    """Properties."""


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    command: str
    ok: bool
    seconds: float
    operations: tuple[Operation, ...]
    output: str = field(repr=False)

    @property
    def counts(self) -> Counter[str]:
        """Operations by kind; what stays as it is is not counted."""
        return Counter(operation.kind for operation in self.operations if operation.kind != "same")

    def of(self, kind: str) -> list[Operation]:
        return [operation for operation in self.operations if operation.kind == kind]


class Engine:
    """The CLI on a rehearsal's project."""

    def __init__(self, project: Project, cloud: Mapping[str, str]) -> None:
        self.project = project
        self.env = environment.whole(project.home, project.state, cloud)
        self.pulumi = str(binary("pulumi"))
        self.read("stack", "select", "--create", project.stack)

    def read(self, *arguments: str) -> str:
        """What a quiet command prints.

        Raises:
            CalledProcessError: it failed.
        """
        command = [self.pulumi, *arguments, "--non-interactive"]
        return subprocess.run(
            command, cwd=self.project.folder, env=self.env, capture_output=True, text=True, check=True
        ).stdout

    def run(self, command: str, *arguments: str) -> Outcome:
        """`up`, `refresh` or `destroy`."""
        events = self.project.folder / "events.json"
        events.unlink(missing_ok=True)
        line = [
            self.pulumi, command, "--yes", "--non-interactive", "--suppress-progress", "--stack", self.project.stack,
            "--event-log", str(events), *arguments,
        ]  # fmt: skip
        begun = time.monotonic()
        done = subprocess.run(line, cwd=self.project.folder, env=self.env, capture_output=True, text=True, check=False)
        return Outcome(
            command=f"pulumi {command}",
            ok=done.returncode == 0,
            seconds=time.monotonic() - begun,
            operations=tuple(operations(events)),
            output=done.stdout + done.stderr,
        )

    def resources(self) -> Sequence[dict[str, Any]]:
        """The stack's resources, as its state has them."""
        exported = json.loads(self.read("stack", "export"))
        found: list[dict[str, Any]] = (exported.get("deployment") or {}).get("resources") or []
        return found


def operations(events: Path) -> list[Operation]:
    """What an event log says was done, one entry per resource."""
    if not events.exists():
        return []
    found = []
    for line in events.read_text().splitlines():
        event = json.loads(line)
        meta = (event.get("resOutputsEvent") or event.get("resourcePreEvent") or {}).get("metadata")
        if not meta or ("resourcePreEvent" in event and not meta["op"].startswith(("replace", "same"))):
            continue
        if "resourcePreEvent" in event and meta["op"] == "same":
            continue
        found.append(
            Operation(meta["op"], meta["type"], meta["urn"].rsplit("::", 1)[1], tuple(meta.get("diffs") or ()))
        )
    return found
