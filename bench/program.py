"""What the program itself costs: `pulumi preview` of a stack, against a bare program with as many resources."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from cli.engine import Engine

BARE = """
import pulumi

for number in range({resources}):
    pulumi.ComponentResource("bench:index:Bare", f"bare-{{number}}")
"""
PROJECT = "name: bare\nruntime: {{name: python, options: {{virtualenv: {virtualenv}}}}}\n"


def measure(engine: Engine, runs: int) -> tuple[int, list[float], list[float]]:
    """Number of resources, and the seconds that a preview of the stack and of the bare program take."""
    engine.select()
    arguments = [engine.pulumi, "preview", "--json", "--stack", engine.stack, "--non-interactive"]
    preview, _ = timed(arguments, engine.repository, engine.env)
    # Its steps leave out what stays the same.
    resources = sum(json.loads(preview)["changeSummary"].values())
    own = [timed(arguments, engine.repository, engine.env)[1] for _ in range(runs)]
    with tempfile.TemporaryDirectory() as folder:
        return resources, own, bare(Path(folder), engine, resources, runs)


def bare(folder: Path, engine: Engine, resources: int, runs: int) -> list[float]:
    """Seconds of a preview of a program that does nothing but register resources."""
    (folder / "Pulumi.yaml").write_text(PROJECT.format(virtualenv=sys.prefix))
    (folder / "__main__.py").write_text(BARE.format(resources=resources - 1))
    (folder / "state").mkdir()
    env = {**engine.env, "PULUMI_BACKEND_URL": f"file://{folder}/state", "PULUMI_CONFIG_PASSPHRASE": "bench"}
    timed([engine.pulumi, "stack", "init", "bench", "--non-interactive"], folder, env)
    return [timed([engine.pulumi, "preview", "--json", "--non-interactive"], folder, env)[1] for _ in range(runs)]


def timed(command: list[str], cwd: Path, env: Mapping[str, str]) -> tuple[str, float]:
    """What a command prints, and its seconds."""
    started = time.monotonic()
    done = subprocess.run(command, cwd=cwd, env=env, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout, time.monotonic() - started
