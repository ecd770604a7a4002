"""Faults on purpose, for people and drills: what breaks machines and networks, and what heals them."""

from providers.local.client import Client
from providers.local.cuts import CutKind
from providers.local.view import MachineView


class NotRunningError(Exception):
    """A machine does not run now."""


class Faults:
    """Faults in one stack. Every cut lasts until `heal`."""

    def __init__(self, stack: str = "local", client: Client | None = None) -> None:
        self.stack = stack
        self._client = client or Client()

    def machines(self) -> list[MachineView]:
        """The stack's machines as they are now."""
        return self._client.machines(stack=self.stack)

    def kill(self, machine: str) -> None:
        """End a machine as a power failure would; its group boots a new one at once."""
        self._client.order(self.stack, machine, "kill")

    def power_off(self, machine: str) -> None:
        """Shut a machine down in order; its group boots a new one."""
        self._client.order(self.stack, machine, "power-off")

    def cut(self, target: str, kind: CutKind = CutKind.LINK) -> None:
        """Cut a zone or a machine from the network."""
        self._client.cut(self.stack, target, kind)

    def heal(self) -> list[str]:
        """Undo all cuts; what was cut."""
        return self._client.heal(self.stack)

    def wipe(self, volume: str) -> None:
        """Empty a volume as if its disk had been exchanged; a machine that has it is killed first."""
        self._client.wipe(self.stack, volume)

    def command(self, machine: str, *argv: str) -> list[str]:
        """The command that runs `argv` inside a machine, from the host, with or without its network."""
        init = self._init(machine)
        return ["nsenter", f"--target={init}", "--mount", "--uts", "--ipc", "--net", "--pid", "--", *argv]

    def _init(self, machine: str) -> int:
        views = self.machines()
        for view in views:
            if view.machine == machine and view.init_pid is not None:
                return view.init_pid
        running = ", ".join(view.machine for view in views if view.init_pid is not None)
        raise NotRunningError(f"{machine!r} does not run now; what runs: {running or 'nothing'}")
