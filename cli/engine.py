"""Runs the Pulumi CLI on one stack of this repository."""

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

from toolchain import environment
from toolchain.cache import binary


class EngineError(Exception):
    """The CLI failed; it has told the user why itself, unless the message says so."""


class Engine:
    """The CLI, in the environment that `make env` prints."""

    def __init__(self, stack: str, repository: Path) -> None:
        stacks = sorted(path.name.split(".")[1] for path in (repository / "stacks").glob("Pulumi.*.yaml"))
        if stack not in stacks:
            raise EngineError(f"stack {stack}: no file stacks/Pulumi.{stack}.yaml; there are {', '.join(stacks)}")
        self.stack = stack
        self.repository = repository
        self.pulumi = str(binary("pulumi"))
        self.env = {**os.environ, **environment.variables()}

    def run(self, *arguments: str) -> None:
        """Run a command that shows its own progress. An interrupt is the CLI's to handle: it ends in its own time.

        Raises:
            EngineError: it failed.
        """
        with subprocess.Popen([self.pulumi, *arguments], cwd=self.repository, env=self.env) as process:
            before = signal.signal(signal.SIGINT, signal.SIG_IGN)
            try:
                status = process.wait()
            finally:
                signal.signal(signal.SIGINT, before)
        if status != 0:
            raise EngineError(f"pulumi {arguments[0]} --stack {self.stack} ended with {status}; what to do is above")

    def select(self) -> None:
        """Make the stack the current one, and make it where it is not."""
        self.read("stack", "select", "--create", self.stack)

    def read(self, *arguments: str, typed: str | None = None) -> str:
        """What a quiet command prints; `typed` is its input, for what must not be among its arguments.

        Raises:
            EngineError: it failed; with what it said.
        """
        done = self.told(*arguments, typed=typed)
        if done.returncode != 0:
            raise EngineError(f"pulumi {' '.join(arguments)}: {(done.stderr or done.stdout).strip()}")
        return done.stdout

    def told(self, *arguments: str, typed: str | None = None) -> subprocess.CompletedProcess[str]:
        """What a command says to what is typed, and whether it failed."""
        command = [self.pulumi, *arguments, "--non-interactive"]
        return subprocess.run(
            command, cwd=self.repository, env=self.env, capture_output=True, text=True, check=False, input=typed
        )

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs, secrets in the clear."""
        found: dict[str, Any] = json.loads(
            self.read("stack", "output", "--json", "--show-secrets", "--stack", self.stack)
        )
        return found

    def resources(self) -> list[dict[str, Any]]:
        """The stack's resources, as its state has them; secrets stay encrypted. None of a stack that was never up."""
        return self._deployed("resources")

    def pending(self) -> list[dict[str, Any]]:
        """What a run began and did not live to end: operations with their `type` and their `resource`."""
        return self._deployed("pending_operations")

    def _deployed(self, what: str) -> list[dict[str, Any]]:
        try:
            exported = json.loads(self.read("stack", "export", "--stack", self.stack))
        except EngineError as error:
            if f"no stack named '{self.stack}'" in str(error):
                return []
            raise
        found: list[dict[str, Any]] = (exported.get("deployment") or {}).get(what) or []
        return found
