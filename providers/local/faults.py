"""Faults on purpose, for people and drills: what breaks machines and networks, and what heals them."""

import os
import signal
from pathlib import Path

from providers.local.client import Client
from providers.local.cuts import CutKind
from providers.local.processes import arguments, descendants
from providers.local.view import MachineView


class NoSuchProcessError(Exception):
    """A machine runs no process of that name."""


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

    def pause(self, machine: str, process: str) -> list[int]:
        """Stop all processes of that name in a machine (SIGSTOP); their pids on the host."""
        return self._signal(machine, process, signal.SIGSTOP)

    def resume(self, machine: str, process: str) -> list[int]:
        """Let paused processes go on; their pids on the host."""
        return self._signal(machine, process, signal.SIGCONT)

    def kill_process(self, machine: str, process: str) -> list[int]:
        """Kill all processes of that name in a machine (SIGKILL), containers included; their pids on the host."""
        return self._signal(machine, process, signal.SIGKILL)

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
        raise NoSuchProcessError(f"{machine!r} does not run now; what runs: {running or 'nothing'}")

    def _signal(self, machine: str, name: str, number: signal.Signals) -> list[int]:
        found = [pid for pid in descendants(self._init(machine)) if _name(pid) == name]
        if not found:
            raise NoSuchProcessError(f"{machine} runs no process {name!r}")
        for pid in found:
            os.kill(pid, number)
        return found


def _name(pid: int) -> str:
    words = arguments(pid)
    return Path(words[0]).name if words else ""
