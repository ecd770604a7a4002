"""Command line: `python -m rehearsal run --stack prod-aws`, `python -m rehearsal env`."""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from components.settings import Settings, load
from providers.aws.connection import Aws
from rehearsal import coverage, environment
from rehearsal.emulation import emulator
from rehearsal.engine import Engine
from rehearsal.inspection import Inspection, InspectionError
from rehearsal.life import Life, RehearsalError, Step
from rehearsal.project import REPOSITORY, NoSuchStackError, Project
from rehearsal.report import page
from toolchain import cloud_libraries, debian_packages
from toolchain import environment as environments
from toolchain.artifacts import MissingArtifactsError
from toolchain.artifacts import load as artifacts
from toolchain.cache import MissingToolError
from toolchain.image.command import ImageError


def main(arguments: Sequence[str]) -> int:
    """Run one command; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m rehearsal", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="play the whole life of a stack on an emulated cloud")
    run.add_argument("--stack", required=True, help="a file stacks/Pulumi.<stack>-aws.yaml")
    run.add_argument("--report", type=Path, help="where the page goes (default: build/rehearsal/<stack>.html)")
    commands.add_parser("env", help="print the exports with which any program is previewed on the stand-ins")
    options = parser.parse_args(arguments)
    if options.command == "env":
        print(exports())
        return 0
    report = options.report or REPOSITORY / "build" / "rehearsal" / f"{options.stack}.html"
    try:
        artifacts()
        cloud_libraries.build("aws")
        debian_packages.build()
        with tempfile.TemporaryDirectory(prefix="kube-ha-rehearsal-") as folder:
            return rehearse(Project(Path(folder) / "project", options.stack), report)
    except (NoSuchStackError, MissingToolError, MissingArtifactsError, ImageError) as error:
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
    settings = settings_of(project)
    with emulator(project.folder / "emulator.log") as url:
        aws = Aws(url, settings.region)
        life = Life(Engine(project, url), aws, settings.scenario)
        try:
            for step in life.steps(Inspection(aws, settings.topology)):
                steps.append(step)
                print(f"{step.title:20} {step.outcome.seconds:5.1f} s  {step.says}", flush=True)
        except (RehearsalError, InspectionError) as refused:
            error = f"{refused}{said_by_emulator(project.folder / 'emulator.log')}"
        except subprocess.CalledProcessError as failed:
            error = f"{' '.join(failed.cmd)}: {failed.stderr}"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(page(project.stack, steps, life.made, error))
    tell(project.stack, life, error, time.monotonic() - begun, report)
    return 1 if error else 0


def said_by_emulator(log: Path) -> str:
    """How a request ended that the emulator stumbled over; nothing where it did not."""
    _, stumbled, trace = log.read_text().rpartition("Traceback (most recent call last)")
    return f"\nthe emulator itself:\n{stumbled}{trace}"[:3000] if stumbled else ""


def tell(stack: str, life: Life, error: str, seconds: float, report: Path) -> None:
    """The closing lines."""
    for way, types in coverage.checked(life.made).items():
        print(f"{len(types)} types {way}")
    print("not proven: " + "; ".join(coverage.NOT_ENFORCED))
    if error:
        print(f"error: {error}", file=sys.stderr)
    print(f"{stack}: {'failed' if error else 'as promised'} after {seconds:.0f} s; the page: {report}")


def settings_of(project: Project) -> Settings:
    """Those that the program will read."""
    return load({key: value if isinstance(value, str) else json.dumps(value) for key, value in project.config.items()})


def end(number: int, frame: FrameType | None) -> None:
    """Let a termination unwind as Ctrl-C does: the emulator and the folder go with us."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, end)
    sys.exit(main(sys.argv[1:]))
