"""Command line: what is done to one stack, and with it. Each command has a target of the Makefile."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cli import add_ons, fetch_snapshot, kubeconfig, recovery_keys, rotation, snapshots, worker
from cli.down import down
from cli.engine import Engine, EngineError
from cli.object_store import memory
from cli.preview import preview
from cli.refused import RefusedError
from cli.restore import Wanted, restore
from cli.up import up
from components.node.agent.cloud import CloudError
from toolchain import environment
from toolchain.cache import MissingToolError
from toolchain.progress import complain


def main(arguments: Sequence[str]) -> int:
    """Run one command; the exit status."""
    options = parser().parse_args(arguments)
    try:
        engine = Engine(options.stack, environment.REPOSITORY)
        return COMMANDS[options.command].run(engine, options)
    except (EngineError, RefusedError, MissingToolError, CloudError) as error:
        complain(error)
        return 1


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="python -m cli", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    made = {name: commands.add_parser(name, help=each.what, description=each.what) for name, each in COMMANDS.items()}
    for command in made.values():
        command.add_argument("stack", help="a file stacks/Pulumi.<stack>.yaml")
    for name in ("recovery-keys", "fetch-snapshot"):
        made[name].add_argument("file", type=Path, help="where it goes; it must not be there yet")
    made["adopt-keys"].add_argument("file", type=Path, help="what recovery-keys wrote")
    made["worker"].add_argument("zone", help="where the machine is; one of the stack's")
    for name in ("prove", "fetch-snapshot", "restore"):
        made[name].add_argument("--snapshot", help="its name, as `snapshots` shows it; default: the newest")
    restoring = made["restore"]
    restoring.add_argument("--at", help="the newest that is not younger than this time, such as 2026-11-22T19:15:00Z")
    restoring.add_argument(
        "--from", dest="source", type=Path, help="a file that fetch-snapshot wrote, of another stack"
    )
    restoring.add_argument("--dry-run", action="store_true", help="only say what would be lost")
    restoring.add_argument("--supersede", action="store_true", help="though another restore runs")
    for name in ("rotate-authorities", "restore"):
        made[name].add_argument("--yes", action="store_true", help="do not ask")
    return top


def run_restore(engine: Engine, options: argparse.Namespace) -> int:
    """`restore` with its options."""
    wanted = Wanted(options.snapshot, options.at, options.dry_run, options.yes, options.supersede, options.source)
    return restore(engine, wanted)


@dataclass(frozen=True)
class Command:
    """What a command is for, and what it runs."""

    what: str
    run: Callable[[Engine, argparse.Namespace], int]


COMMANDS: Final[Mapping[str, Command]] = {
    "up": Command("bring a stack up and say how to use it", lambda engine, _: up(engine)),
    "down": Command("destroy a stack and all its data", lambda engine, _: down(engine)),
    "preview": Command("what up would change, judged by the policies", lambda engine, _: preview(engine)),
    "kubeconfig": Command("print the administrator's kubeconfig", lambda engine, _: kubeconfig.show(engine)),
    "add-ons": Command("print what spreads a managed cluster's add-ons", lambda engine, _: add_ons.show(engine)),
    "worker": Command("print a worker's cloud-init", lambda engine, options: worker.show(engine, options.zone)),
    "snapshot": Command("snapshot etcd now", lambda engine, _: snapshots.take(memory(engine))),
    "snapshots": Command("show etcd's snapshots", lambda engine, _: snapshots.show(memory(engine))),
    "prove": Command(
        "restore a snapshot beside the cluster and compare",
        lambda engine, options: snapshots.prove(memory(engine), options.snapshot),
    ),
    "fetch-snapshot": Command(
        "write a snapshot to a file",
        lambda engine, options: fetch_snapshot.fetch(memory(engine), options.snapshot, options.file),
    ),
    "restore": Command("make etcd what a snapshot holds", run_restore),
    "recovery-keys": Command(
        "write the keys that a restore into another stack takes",
        lambda engine, options: recovery_keys.write(memory(engine), options.file),
    ),
    "adopt-keys": Command(
        "give a stack that is not up yet the keys of another",
        lambda engine, options: recovery_keys.adopt(engine, options.file),
    ),
    "rotate-authorities": Command(
        "take the next of three steps to new certificate authorities",
        lambda engine, options: rotation.rotate(engine, yes=options.yes),
    ),
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
