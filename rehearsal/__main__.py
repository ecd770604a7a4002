"""Command line: play the whole life of a cloud stack on an emulated cloud, no account needed."""

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Final

from components.settings import SettingsError
from components.topology import TopologyError
from rehearsal import environment
from rehearsal.engine import Engine
from rehearsal.life import Life, RehearsalError, Step
from rehearsal.project import REPOSITORY, NoSuchStackError, Project
from rehearsal.report import page
from rehearsal.scene import InspectionError
from rehearsal.scenes import NoSceneError, scene
from toolchain import environment as environments
from toolchain.artifacts import MissingArtifactsError
from toolchain.cache import MissingToolError
from toolchain.image.command import ImageError

REFUSALS: Final = (
    NoSuchStackError, NoSceneError, SettingsError, TopologyError, MissingToolError, MissingArtifactsError, ImageError,
)  # fmt: skip
"""What there is to say before anything was played."""

FEW: Final = 3
"""Types that the closing lines name; more are counted, and named on the page."""


def main(arguments: Sequence[str]) -> int:
    """Run one command; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m rehearsal", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="play the whole life of a stack on a pretended cloud")
    run.add_argument("--stack", required=True, help="a file stacks/Pulumi.<stack>.yaml of a cloud")
    run.add_argument("--report", type=Path, help="where the page goes (default: build/rehearsal/<stack>.html)")
    commands.add_parser("env", help="print the exports with which any program is previewed on the stand-ins")
    options = parser.parse_args(arguments)
    if options.command == "env":
        print(exports())
        return 0
    report = options.report or REPOSITORY / "build" / "rehearsal" / f"{options.stack}.html"
    try:
        with tempfile.TemporaryDirectory(prefix="kube-ha-rehearsal-") as folder:
            project = Project(Path(folder) / "project", options.stack)
            project.check()
            return rehearse(project, report)
    except REFUSALS as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def exports() -> str:
    """Lines for `eval`; the state is this clone's own, beside that of real stacks."""
    folder = environments.state() / "rehearsal"
    environment.stand_in(folder / "home", REPOSITORY / "providers")
    return environments.exports(environment.variables(folder / "home", folder / "state"))


def rehearse(project: Project, report: Path) -> int:
    """Play it, show each step when it is done, and write the page; the exit status."""
    begun = time.monotonic()
    steps: list[Step] = []
    error = ""
    print(f"{project.stack}: its life on a pretended cloud, for a minute or so …", file=sys.stderr, flush=True)
    with scene(project, project.settings) as stage:
        life = Life(Engine(project, stage.environment), stage)
        try:
            for step in life.steps():
                steps.append(step)
                print(f"{step.title:20} {step.outcome.seconds:5.1f} s  {step.says}", flush=True)
        except (RehearsalError, InspectionError) as refused:
            error = f"{refused}{stage.log()}"
        except subprocess.CalledProcessError as failed:
            error = f"{' '.join(failed.cmd)}: {failed.stderr}"
        checked = stage.checked(life.made)
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(
        page(project.stack, steps, life.made, checked=checked, not_enforced=stage.not_enforced, error=error)
    )
    for way, types in ((way, types) for way, types in checked.items() if types):
        few = ", ".join(kind.rsplit(":", 1)[1] for kind, _ in types)
        print(f"{few if len(types) <= FEW else f'{len(types)} types'} {way}")
    print("not proven: " + "; ".join(stage.not_enforced))
    if error:
        print(f"error: {error}", file=sys.stderr)
    seconds = time.monotonic() - begun
    print(f"{project.stack}: {'failed' if error else 'as promised'} after {seconds:.0f} s; the page: {report}")
    return 1 if error else 0


def end(number: int, frame: FrameType | None) -> None:
    """Let a termination unwind as Ctrl-C does: the pretended cloud and the folder go with us."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, end)
    sys.exit(main(sys.argv[1:]))
