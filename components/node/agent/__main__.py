"""The agent's command line.

python -m components.node.agent run                 all steps, then look after them for ever
python -m components.node.agent run --step etcd     one step, once
python -m components.node.agent steps               the steps of this machine, in order
"""

import argparse
import gc
import os
import time
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from components.node.agent.cloud import Cloud, CloudError, Instance
from components.node.agent.clouds import connect
from components.node.agent.identity import complete, instance_of
from components.node.agent.log import Log
from components.node.agent.loop import Loop
from components.node.agent.rolling import Rolling
from components.node.agent.status import Reporter, serve
from components.node.agent.step import Context, Paths, Step
from components.node.agent.steps import steps_of
from components.node.agent.systemd import Systemd
from components.node.machine import Machine


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="kube-ha-agent", description=__doc__.splitlines()[0] if __doc__ else None)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="all steps, then look after them for ever")
    run.add_argument("--step", help="do only this step, once")
    commands.add_parser("steps", help="list the steps of this machine")
    options = parser.parse_args(arguments)

    context = prepare(Log(), Paths())
    steps = steps_of(context.machine)
    if options.command == "steps":
        print("\n".join(step.name for step in steps))
    elif options.step is None:
        live(context, steps)
    else:
        chosen(steps, options.step).run(context)


def prepare(log: Log, paths: Paths) -> Context:
    """Read the document and learn from the cloud which machine this is; waits for the cloud."""
    document = read_document(paths.machine)
    os.environ["PATH"] = f"{paths.binaries}:{os.environ.get('PATH', '')}"
    cloud = connect(document.cloud, document.bucket)
    instance = _patiently(cloud, log, paths.state)
    machine = complete(document, instance)
    return Context(
        machine=machine, cloud=cloud, instance=instance, log=log, services=Systemd(paths.units), paths=paths
    )  # fmt: skip


def read_document(path: Path) -> Machine:
    """The machine document.

    Raises:
        SystemExit: it is missing or not one; says what is wrong with it.
    """
    try:
        return Machine.model_validate_json(path.read_bytes())
    except OSError as error:
        raise SystemExit(f"{path}: {error.strerror}; cloud-init writes it from the user data") from None
    except ValidationError as error:
        raise SystemExit(f"{path}: {error}") from None


def chosen(steps: Sequence[Step], name: str) -> Step:
    """The step called `name`."""
    for step in steps:
        if step.name == name:
            return step
    raise SystemExit(f"--step: {name!r} is none of this machine's: {', '.join(step.name for step in steps)}")


def live(context: Context, steps: Sequence[Step]) -> None:
    """Run the loop."""
    reporter = Reporter(context)
    serve(context, reporter)
    loop = Loop(context, steps, reporter)
    # What was imported lives as long as the process: no collection needs to look at it again.
    gc.freeze()
    loop.forever(Rolling(context, loop.leave))


def _patiently(cloud: Cloud, log: Log, state: Path) -> Instance:
    while True:
        try:
            return instance_of(cloud, state)
        except CloudError as error:
            log.changed("cloud", f"waiting: {error}")
            time.sleep(0.5)


if __name__ == "__main__":
    main()
