"""Command line: `python -m cli <command> <stack>`."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from cli import add_ons, fetch_snapshot, recovery_keys, rotation, snapshots, worker
from cli.down import down
from cli.engine import Engine, EngineError
from cli.object_store import memory
from cli.refused import RefusedError
from cli.restore import Wanted, restore
from cli.up import up
from components.node.agent.cloud import CloudError
from toolchain import environment
from toolchain.cache import MissingToolError
from toolchain.progress import console


def main(arguments: Sequence[str]) -> int:
    """Run one command; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m cli", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("up", "down", "add-ons", "snapshot", "snapshots", "prove"):
        command = commands.add_parser(name)
        command.add_argument("stack", help="a file stacks/Pulumi.<stack>.yaml")
    command.add_argument("--snapshot", help="its name, as `snapshots` shows it; default: the newest")
    command = commands.add_parser("recovery-keys")
    command.add_argument("stack", help="a file stacks/Pulumi.<stack>.yaml")
    command.add_argument("file", type=Path, help="where they go; it must not be there yet")
    command = commands.add_parser("adopt-keys")
    command.add_argument("stack", help="a file stacks/Pulumi.<stack>.yaml, of a stack that is not up yet")
    command.add_argument("file", type=Path, help="what recovery-keys wrote")
    command = commands.add_parser("fetch-snapshot")
    command.add_argument("stack", help="a file stacks/Pulumi.<stack>.yaml")
    command.add_argument("file", type=Path, help="where it goes; it must not be there yet")
    command.add_argument("--snapshot", help="its name, as `snapshots` shows it; default: the newest")
    command = commands.add_parser("worker")
    command.add_argument("stack", help="a file stacks/Pulumi.<stack>.yaml")
    command.add_argument("zone", help="where the machine is; one of the stack's")
    command = commands.add_parser("rotate-authorities")
    command.add_argument("stack", help="a file stacks/Pulumi.<stack>.yaml")
    command.add_argument("--yes", action="store_true", help="do not ask")
    add_restore(commands.add_parser("restore"))
    options = parser.parse_args(arguments)
    try:
        engine = Engine(options.stack, environment.REPOSITORY)
        return COMMANDS[options.command](engine, options)
    except (EngineError, RefusedError, MissingToolError, CloudError) as error:
        console.print(f"[red]error:[/] {error}", soft_wrap=True)
        return 1


def add_restore(command: argparse.ArgumentParser) -> None:
    """What `restore` takes."""
    command.add_argument("stack", help="a file stacks/Pulumi.<stack>.yaml")
    command.add_argument("--snapshot", help="its name, as `snapshots` shows it; default: the newest")
    command.add_argument("--at", help="the newest that is not younger than this time, such as 2026-11-22T19:15:00Z")
    command.add_argument("--from", dest="source", type=Path, help="a file that fetch-snapshot wrote, of another stack")
    command.add_argument("--dry-run", action="store_true", help="only say what would be lost")
    command.add_argument("--yes", action="store_true", help="do not ask")
    command.add_argument("--supersede", action="store_true", help="though another restore runs")


def run_restore(engine: Engine, options: argparse.Namespace) -> int:
    """`restore` with its options."""
    wanted = Wanted(options.snapshot, options.at, options.dry_run, options.yes, options.supersede, options.source)
    return restore(engine, wanted)


COMMANDS: Final[Mapping[str, Callable[[Engine, argparse.Namespace], int]]] = {
    "up": lambda engine, _: up(engine),
    "down": lambda engine, _: down(engine),
    "add-ons": lambda engine, _: add_ons.show(engine),
    "snapshot": lambda engine, _: snapshots.take(memory(engine)),
    "snapshots": lambda engine, _: snapshots.show(memory(engine)),
    "prove": lambda engine, options: snapshots.prove(memory(engine), options.snapshot),
    "recovery-keys": lambda engine, options: recovery_keys.write(memory(engine), options.file),
    "adopt-keys": lambda engine, options: recovery_keys.adopt(engine, options.file),
    "fetch-snapshot": lambda engine, options: fetch_snapshot.fetch(memory(engine), options.snapshot, options.file),
    "worker": lambda engine, options: worker.show(engine, options.zone),
    "rotate-authorities": lambda engine, options: rotation.rotate(engine, yes=options.yes),
    "restore": run_restore,
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
