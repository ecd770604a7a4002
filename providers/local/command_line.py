"""`python -m providers.local`: see the machines of a stack, break them, and remove what it left."""

import os
import shutil
import sys
import time
from collections import deque
from pathlib import Path
from typing import Annotated, NoReturn

from cyclopts import App, Parameter
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from providers.local import supervisor
from providers.local.client import Client, CloudRefusalError, UnreachableError, root
from providers.local.cuts import CutKind
from providers.local.faults import Faults, NotRunningError
from providers.local.machine_api import WORKER
from providers.local.purge import purge as purge_stack
from providers.local.purge import wait_until_ended
from providers.local.view import MachineView

app = App(name="python -m providers.local", help=__doc__)

Stack = Annotated[str, Parameter(name="--stack", help="Whose machines.")]
Machine = Annotated[str, Parameter(help="Name of a machine, as `machines` shows it.")]

MACHINE_PATH = "/opt/kube-ha/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def fail(message: object) -> NoReturn:
    """Say what is wrong, without a traceback, and end with 1."""
    print(message, file=sys.stderr)
    sys.exit(1)


@app.command
def machines(*, stack: Stack = "local") -> None:
    """Show the machines of a stack."""
    client = _client(stack)
    table = Table(box=None, pad_edge=False)
    for column in ("machine", "role", "zone", "address", "incarnation", "up since", "ready", "phase", "message"):
        table.add_column(column)
    for view in client.machines(stack=stack):
        since = time.strftime("%H:%M:%S", time.localtime(view.up_since)) if view.up_since else "-"
        cut = f"cut ({', '.join(view.cuts)}) " if view.cuts else ""
        row = (view.machine, view.role, view.zone, view.address, str(view.incarnation), since, shown(view), view.phase)
        table.add_row(*row, escape(cut + view.message))
    # Not on a terminal there is no width to fit into.
    Console(width=None if sys.stdout.isatty() else 240).print(table)
    print(f"supervisor: socket {client.socket}, log {client.root / 'supervisor.log'}", file=sys.stderr)


def shown(view: MachineView) -> str:
    """Whether a machine is ready by its own word; a worker has no agent that would say."""
    if view.role == WORKER:
        return "-"
    return "[green]yes[/]" if view.ready else "[yellow]no[/]"


@app.command
def kill(machine: Machine, *, stack: Stack = "local") -> None:
    """End a machine as a power failure would. Its group boots a new one."""
    _client(stack)
    Faults(stack).kill(machine)
    print(f"killed {machine}")


@app.command
def cut(
    target: str, *, silent: bool = False, one_way: bool = False, peers: bool = False, stack: Stack = "local"
) -> None:
    """Cut a zone or a machine from the network until `heal`.

    Parameters
    ----------
    target
        Name of a zone or a machine.
    silent
        Keep the carrier and drop what is sent, instead of taking the link down.
    one_way
        Drop only what is sent to the target.
    peers
        Drop only what the target, a machine with a volume, and the others that have one send each other.
    """
    kinds = {CutKind.SILENT: silent, CutKind.ONE_WAY: one_way, CutKind.PEERS: peers}
    chosen = [kind for kind, wanted in kinds.items() if wanted] or [CutKind.LINK]
    if len(chosen) > 1:
        fail(f"{' and '.join(f'--{kind}' for kind in chosen)} are kinds of cut: choose one")
    kind = chosen[0]
    _client(stack)
    Faults(stack).cut(target, kind)
    print(f"cut {target} ({kind})")


@app.command
def heal(*, stack: Stack = "local") -> None:
    """Undo every cut."""
    _client(stack)
    healed = Faults(stack).heal()
    print(f"healed {', '.join(healed)}" if healed else "nothing was cut")


@app.command
def console(machine: Machine, *, lines: int = 200, stack: Stack = "local") -> None:
    """Print the end of what a machine printed, over all its incarnations.

    Parameters
    ----------
    lines
        How many lines.
    """
    client = _client(stack)
    for view in client.machines(stack=stack):
        if view.machine == machine:
            file = client.console(view.network, machine, 0)["file"]
            with Path(file).open(errors="replace") as text:
                sys.stdout.writelines(deque(text, lines))
            return
    fail(f"stack {stack!r} has no machine {machine!r}")


@app.command(name="exec")
def execute(
    machine: Machine, *argv: Annotated[str, Parameter(allow_leading_hyphen=True)], stack: Stack = "local"
) -> None:
    """Run a command in a machine, or a shell when none is given. It works while the machine is cut, too."""
    _client(stack)
    command = Faults(stack).command(machine, *(argv or ("/bin/sh", "-i")))
    nsenter = shutil.which(command[0]) or command[0]
    # The host's PATH means nothing there.
    os.environ["PATH"] = MACHINE_PATH
    os.execv(nsenter, [nsenter, *command[1:]])  # noqa: S606 - the user's own command


@app.command
def purge(*, stack: Stack = "local") -> None:
    """Remove all that a stack has on this host, data included, whatever the records say."""
    client = Client()
    for urn in purge_stack(client, stack):
        print(f"removed {urn}")
    if not client.has_anything or wait_until_ended(client.root, 10):
        print("nothing is left")


@app.command(show=False)
def supervise() -> None:
    """Be the supervisor. The provider starts it."""
    supervisor.main(root())


def _client(stack: str) -> Client:
    client = Client()
    if not client.has_anything:
        fail(f"stack {stack!r} has nothing here: the local cloud is empty")
    return client


def main() -> None:
    """Run the command line; what is refused is said in one line."""
    try:
        app()
    except (CloudRefusalError, UnreachableError, NotRunningError, supervisor.AlreadyRunningError) as error:
        fail(error)
