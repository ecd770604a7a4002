"""Command line: `python -m cli up|down <stack>`."""

import argparse
import sys
from collections.abc import Sequence

from cli.down import RefusedError, down
from cli.engine import Engine, EngineError
from cli.up import up
from toolchain import environment
from toolchain.cache import MissingToolError
from toolchain.progress import console


def main(arguments: Sequence[str]) -> int:
    """Run one command; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m cli", description=__doc__)
    parser.add_argument("command", choices=["up", "down"])
    parser.add_argument("stack", help="a file stacks/Pulumi.<stack>.yaml")
    options = parser.parse_args(arguments)
    try:
        engine = Engine(options.stack, environment.REPOSITORY)
        return up(engine) if options.command == "up" else down(engine)
    except (EngineError, RefusedError, MissingToolError) as error:
        console.print(f"[red]error:[/] {error}", soft_wrap=True)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
