"""A stack as its user has it: make, pulumi and kubectl, typed in the clone."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from components.node.agent.step import Paths
from components.node.etcd import Files, client_url
from drills.cluster import Cluster
from drills.fault import View
from drills.local import LocalInjector
from providers.local.client import Client
from providers.local.view import MachineView
from tests.machines.clone import Declared
from toolchain import environment
from toolchain.cache import binary

UP_SECONDS: Final = 900.0
"""Bounds a run that hangs; how long it may take says the test that measures it."""
WHOLE_SECONDS: Final = 300.0
"""Longer than the cluster's lock outlives a holder that died (three minutes)."""
VIEW_SECONDS: Final = 60.0


@dataclass(frozen=True)
class Ran:
    """A command that ended."""

    status: int
    output: str
    seconds: float


@dataclass
class Stack:
    """One stack of the clone."""

    declared: Declared
    clone: Path
    ups: list[Ran] = field(default_factory=list)
    """What bringing it up took, the first time and again."""

    @property
    def name(self) -> str:
        """The stack's name, and its network's."""
        return self.declared.name

    @property
    def kubeconfig(self) -> Path:
        """Where `make up` writes it."""
        return self.clone / ".state" / f"kubeconfig-{self.name}"

    # -- commands ------------------------------------------------------------------------------------------------

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start a command in the clone, in a process group of its own as a terminal does."""
        # What the make around the tests says is not for the make of the clone.
        outer = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "CI"))}
        return subprocess.Popen(
            command,
            cwd=self.clone,
            env={**outer, **environment.variables(outer, self.clone)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *command: str, fails: bool = False, timeout: float = 120) -> Ran:
        """Run a command to its end; what it printed is the message where it did not end as expected."""
        started = time.monotonic()
        process = self.start(*command)
        try:
            output, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
            raise AssertionError(f"{' '.join(command)} did not end in {timeout:g} s:\n{output}") from None
        ran = Ran(process.returncode, output, time.monotonic() - started)
        assert (ran.status != 0) == fails, f"{' '.join(command)} ended with {ran.status}:\n{output}"
        return ran

    def make(self, target: str, *words: str, fails: bool = False, timeout: float = UP_SECONDS) -> Ran:
        """`make <target> STACK=<this>`."""
        command = ("make", "--no-print-directory", target, f"STACK={self.name}", *words)
        return self.run(*command, fails=fails, timeout=timeout)

    def up(self) -> Ran:
        """Bring it up, with what anybody types; whole when it returns."""
        ran = self.make("up")
        self.ups.append(ran)
        return ran

    def down(self) -> Ran:
        """Destroy it."""
        return self.make("down")

    def pulumi(self, *words: str, fails: bool = False) -> Ran:
        """Run the engine on the stack."""
        command = (str(binary("pulumi")), *words, "--stack", self.name, "--non-interactive", "--color", "never")
        return self.run(*command, fails=fails, timeout=300)

    def kubectl(self, *words: str, fails: bool = False, timeout: float = 120) -> str:
        """What kubectl prints, through the endpoint."""
        command = (str(binary("kubectl")), "--kubeconfig", str(self.kubeconfig), *words)
        return self.run(*command, fails=fails, timeout=timeout).output

    # -- the cluster ---------------------------------------------------------------------------------------------

    @cached_property
    def injector(self) -> LocalInjector:
        """Faults of its machines."""
        return LocalInjector(self.name)

    @property
    def cluster(self) -> Cluster:
        """The cluster as drills see it."""
        return Cluster(self.kubeconfig, self.injector)

    def machines(self) -> dict[str, MachineView]:
        """Its machines by name."""
        return {view.machine: view for view in Client().machines(stack=self.name)}

    def missing(self) -> list[str]:
        """What keeps it from being whole: what drills ask for, and every machine's own word."""
        unwell = [f"{view.machine}: {view.phase} {view.message}" for view in self.machines().values() if not view.ready]
        return [*unwell, *self.cluster.missing()]

    def wait_whole(self, seconds: float = WHOLE_SECONDS) -> None:
        """Wait until nothing is missing."""
        eventually(lambda: not self.missing(), self.missing, seconds)

    def view(self) -> View:
        """The cluster as targets are chosen from it, once a member says that it leads and a balancer has the address.

        A single look misses either where a machine is too busy to answer within a second.
        """
        views: list[View] = []

        def complete() -> bool:
            views.append(self.cluster.view())
            return None not in {views[-1].leader, views[-1].active_balancer}

        eventually(complete, lambda: (views[-1:], self.missing()), VIEW_SECONDS)
        return views[-1]

    def leader(self) -> str:
        """The machine of etcd's leader."""
        return self.view().leader or ""

    def etcdctl(self, machine: str, *words: str) -> str:
        """What etcdctl prints on a member's machine, with its own certificate, asked of that member."""
        files = Files(Paths().etcd_configuration)
        return self.injector.run(
            machine,
            "etcdctl",
            f"--endpoints={client_url(self.machines()[machine].address)}",
            "--command-timeout=15s",
            f"--cacert={files.authority('client')}",
            f"--cert={files.certificate('client')}",
            f"--key={files.key('client')}",
            *words,
        )

    def member_ids(self, asked: str) -> dict[str, str]:
        """etcd's members: name → ID in hexadecimal, as the member on the machine `asked` has them."""
        rows = [line.split(", ") for line in self.etcdctl(asked, "member", "list").splitlines()]
        return {name: identity for identity, _, name, *_ in rows}

    def console(self, machine: str) -> str:
        """All that a machine printed, over its incarnations."""
        view = self.machines()[machine]
        return Path(Client().console(view.network, machine, 0)["file"]).read_text(errors="replace")


def eventually(holds: Callable[[], bool], otherwise: Callable[[], Any], seconds: float) -> None:
    """Wait until something holds; what is so instead is the message when it does not in time.

    A look that fails, as one does while a leader is elected, is one at which it does not hold.
    """
    until = time.monotonic() + seconds
    while (seen := _look(holds)) is not True:
        assert time.monotonic() < until, f"not within {seconds:g} s: {_look(otherwise)}; the last look: {seen!r}"
        time.sleep(0.5)


def _look(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except Exception as error:
        return error
