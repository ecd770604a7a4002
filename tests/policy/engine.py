"""The real engine with the policy pack, on programs that were written down."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.policy.programs import Program, resolved

REPOSITORY = Path(__file__).resolve().parents[2]
REPLAY = Path(__file__).parent / "replay.py"
TIMEOUT_SECONDS = 300

VIOLATION = re.compile(r"\[(mandatory|advisory)\](?:\s+\[[^\]]+\])?\s+([a-z-]+)\s+\((\S+): ")


@dataclass(frozen=True)
class Violation:
    """A line under the engine's `Policies:`."""

    level: str
    rule: str
    type: str


@dataclass(frozen=True)
class Ran:
    """What a run of the engine said."""

    status: int
    output: str
    violations: list[Violation]

    def rules(self, level: str = "mandatory", kind: str = "") -> set[str]:
        """The rules that were broken: at this level, by resources of this type, which the engine shortens."""
        short = re.sub(r"/\w+:", ":", kind)
        return {found.rule for found in self.violations if found.level == level and short in found.type}


@dataclass(frozen=True)
class Engine:
    """A backend and a project of its own."""

    folder: Path
    providers: str

    def __post_init__(self) -> None:
        (self.folder / "__main__.py").write_text(REPLAY.read_text())
        python = {"name": "python", "options": {"virtualenv": str(Path(sys.prefix))}}
        (self.folder / "Pulumi.yaml").write_text(json.dumps({"name": "replayed", "runtime": python}))
        self.pulumi("stack", "init", "test")

    @property
    def environment(self) -> dict[str, str]:
        """What pulumi runs with beside the test's own environment."""
        return {
            "PULUMI_BACKEND_URL": f"file://{self.folder}",
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_DEBUG_PROVIDERS": self.providers,
            "REPLAYED": str(self.folder / "program.json"),
        }

    def pulumi(self, *arguments: str, cwd: Path | None = None, **environment: str) -> Ran:
        """Run a command of pulumi's."""
        done = subprocess.run(
            ["pulumi", "--non-interactive", "--color", "never", *arguments],
            cwd=cwd or self.folder,
            env={
                **{name: value for name, value in os.environ.items() if name != "CI"},
                **self.environment,
                **environment,
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT_SECONDS,
        )
        output = done.stdout + done.stderr
        return Ran(done.returncode, output, [Violation(*found) for found in VIOLATION.findall(output)])

    def write(self, program: Program) -> None:
        """Make this the program."""
        said = {
            key: {
                "type": resource.type,
                "name": resource.name,
                "parent": resource.parent,
                "protect": resource.protect,
                "properties": resolved(resource.properties, lambda ref: {"$id": ref.name}),
            }
            for key, resource in program.items()
        }
        (self.folder / "program.json").write_text(json.dumps(said))

    def preview(self, program: Program, *arguments: str, **environment: str) -> Ran:
        """Preview a program with the pack."""
        return self.run("preview", program, *arguments, **environment)

    def up(self, program: Program, *arguments: str, **environment: str) -> Ran:
        """Bring a program up with the pack."""
        return self.run("up", program, "--yes", "--skip-preview", *arguments, **environment)

    def run(self, verb: str, program: Program, *arguments: str, **environment: Any) -> Ran:
        self.write(program)
        return self.pulumi(verb, "--policy-pack", str(REPOSITORY / "policy"), *arguments, **environment)
