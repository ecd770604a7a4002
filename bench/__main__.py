"""Command line: what a stack costs. A local one must be up; of one on a cloud only the program is measured, on the
stand-ins.
"""

import argparse
import sys
import time
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from bench import cloud_program, memory, program, replacement, spread
from cli.engine import Engine, EngineError
from providers.local.client import CloudRefusalError, UnreachableError
from providers.local.faults import Faults
from rehearsal.project import rehearsable
from toolchain import environment
from toolchain.cache import MissingToolError
from toolchain.progress import complain, step

SAMPLES = 5
SAMPLE_SECONDS = 1.0
SHOWN = 12


def main(arguments: Sequence[str]) -> int:
    """Measure and print; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--stack", default="local", help="a file stacks/Pulumi.<stack>.yaml; default: %(default)s")
    parser.add_argument("--runs", type=count, default=3, help="how often each thing is measured; default: %(default)s")
    options = parser.parse_args(arguments)
    try:
        if options.stack in rehearsable():
            rows = cloud_program.measured(options.stack, options.runs)
        else:
            rows = measured(Engine(options.stack, environment.REPOSITORY), Faults(options.stack), options.runs)
    except (EngineError, MissingToolError, replacement.NotReadyError, CloudRefusalError, UnreachableError) as error:
        complain(error)
        return 1
    table = Table("", "min", "median", "max", "runs", box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    Console(highlight=False).print(table)
    return 0


def count(text: str) -> int:
    """A number of runs.

    Raises:
        ArgumentTypeError: it is none, or less than one.
    """
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"got {text!r}; a number from 1 on is needed")
    return int(text)


def measured(engine: Engine, faults: Faults, runs: int) -> list[spread.Row]:
    """The rows of the table. Memory first: what was just replaced has used less."""
    with step("memory"):
        replacement.wait(faults.machines, replacement.whole)
        samples = []
        for _ in range(SAMPLES):
            samples.append(memory.sample(faults.machines()))
            time.sleep(SAMPLE_SECONDS)
    rows = [spread.row(f"memory, {name}", values, "MiB") for name, values in memory.merged(samples, SHOWN).items()]
    with step("pulumi preview"):
        resources, own, bare = program.measure(engine, runs)
    rows.append(spread.row(f"pulumi preview, {resources} resources", own, "s"))
    rows.append(spread.row(f"pulumi preview, bare program with {resources}", bare, "s"))
    with step("replaced masters"):
        rows.append(spread.row("killed master until it is back", replacement.measure(faults, runs), "s"))
    return rows


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
