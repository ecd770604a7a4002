"""The passthrough on this master: written, checked by HAProxy itself, running."""

from pathlib import Path

from components.node import passthrough
from components.node.agent.balancer import ask
from components.node.agent.files import write
from components.node.agent.step import Context, Step
from components.node.machine import Machine, Role


class SpareError(Exception):
    """HAProxy did not do what it was asked; says what it answered."""


class Passthrough(Step):
    """127.0.0.1:2379 leads to whichever members live."""

    name = "passthrough"

    def applies(self, machine: Machine) -> bool:
        return machine.role is Role.MASTER

    def run(self, context: Context) -> None:
        path = context.paths.root / passthrough.CONFIGURATION.lstrip("/")
        configuration = write(path, passthrough.render(context.machine).encode(), mode=0o644)
        unit = context.services.install(passthrough.UNIT, passthrough.service())
        if not context.services.active(passthrough.UNIT):
            context.services.start(passthrough.UNIT)
            context.log(self.name, f"to {', '.join(peer.name for peer in passthrough.order(context.machine))}")
        elif unit:
            context.services.restart(passthrough.UNIT)
        elif configuration:
            context.services.reload(passthrough.UNIT)

    def tick(self, context: Context) -> str | None:
        # systemd removes its folder when it ends; asking systemd would be a process every two seconds.
        return None if Path(passthrough.SOCKET).exists() else "passthrough to etcd is not running"


def spare(member: str, *, spared: bool) -> None:
    """Ask `member` only when no other is there, beginning now, or ask it again.

    Raises:
        OSError: the passthrough is not running.
        SpareError: it refused.
    """
    commands = [f"set server etcd/{member} state {'drain' if spared else 'ready'}"]
    if spared:
        commands.append(f"shutdown sessions server etcd/{member}")
    for command in commands:
        if answer := ask(command, passthrough.SOCKET).strip():
            raise SpareError(f"passthrough, {command}: {answer}")
