"""A balancer: HAProxy in front of the masters, and the virtual address while this balancer is the one that has it."""

import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final

from components.node import haproxy, keepalived
from components.node.agent.files import write
from components.node.agent.step import Context, NotYetError, Step
from components.node.machine import Machine, Role

SOCKET_SECONDS: Final = 1.0

LISTENING_SECONDS: Final = 2.0
"""How long a Keepalived that was just started is waited for within one round of the agent."""

POLL_SECONDS: Final = 0.05


class ConfigurationError(Exception):
    """A program refused the configuration that we would give it; what it said."""


class Balancer(Step):
    """Ready when at least one master is, and the other balancer can give the address to this one."""

    name = "balancer"

    def __init__(self) -> None:
        self._sockets: frozenset[str] = frozenset()
        self._listening_since = 0.0

    def applies(self, machine: Machine) -> bool:
        return machine.role is Role.BALANCER

    def run(self, context: Context) -> None:
        services, machine = context.services, context.machine
        changed = install(context, haproxy.CONFIGURATION, haproxy.render(machine), ("haproxy", "-c", "-q", "-f"))
        restart = services.install(haproxy.UNIT, keepalived.balancer_service())
        start(context, haproxy.UNIT, changed=changed, restart=restart)
        changed = install(context, keepalived.CONFIGURATION, keepalived.render(machine), ("keepalived", "-t", "-f"))
        restart = services.install(keepalived.UNIT, keepalived.service(machine))
        start(context, keepalived.UNIT, changed=changed, restart=restart)
        # Within this round: until this balancer is ready, the other one must not leave.
        until = time.monotonic() + LISTENING_SECONDS
        while not self._stands_by(context) and time.monotonic() < until:
            time.sleep(POLL_SECONDS)
        if (reason := self.tick(context)) is not None:
            raise NotYetError(reason)

    def tick(self, context: Context) -> str | None:
        stands_by = self._stands_by(context)
        context.metrics.set(keepalived.STANDS_BY, stands_by)
        try:
            up = haproxy.up_servers(ask("show stat"))
        except OSError as error:
            return f"balancer does not answer: {error}"
        context.metrics.set("balancer_masters_up", len(up))
        write(context.paths.root / keepalived.REACHES_NONE.lstrip("/"), b"0\n" if up else b"1\n", mode=0o644)
        if not up:
            return "no master is ready"
        return None if stands_by else "Keepalived does not run, or not for long enough to be given the address"

    def leave(self, context: Context) -> None:
        # As systemd does it: the address leaves while this balancer still serves.
        context.services.stop(keepalived.UNIT)
        context.services.stop(haproxy.UNIT)

    def _stands_by(self, context: Context) -> bool:
        """Whether Keepalived has listened for so long that it has heard the other balancer, or has the address."""
        now, found = time.monotonic(), keepalived.listening((context.paths.root / keepalived.RAW_SOCKETS).read_text())
        if found != self._sockets:
            self._sockets, self._listening_since = found, now
        return bool(found) and now - self._listening_since >= keepalived.TAKEOVER_SECONDS


def install(context: Context, path: str, content: str, judge: tuple[str, ...]) -> bool:
    """Write a configuration that its own program accepts; whether it changed.

    Raises:
        ConfigurationError: it does not; the one that runs stays.
    """
    target = context.paths.root / path.lstrip("/")
    with tempfile.TemporaryDirectory() as folder:
        candidate = Path(folder) / target.name
        # Keepalived refuses what others could write, and warns of what they could execute.
        write(candidate, content.encode(), mode=0o644)
        answer = subprocess.run([*judge, str(candidate)], capture_output=True, text=True, check=False, timeout=30)
    if answer.returncode != 0:
        raise ConfigurationError(f"{judge[0]} refuses {path}: {(answer.stdout + answer.stderr).strip()}")
    return write(target, content.encode(), mode=0o644)


def start(context: Context, unit: str, *, changed: bool, restart: bool) -> None:
    """Running with what is written now; connections outlive a reload, not a restart."""
    if not context.services.active(unit):
        context.services.start(unit)
        context.log("balancer", f"{unit} started")
    elif restart:
        context.services.restart(unit)
    elif changed:
        context.services.reload(unit)


def ask(command: str, path: str = haproxy.SOCKET) -> str:
    """HAProxy's answer on an admin socket. Raises `OSError`."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(SOCKET_SECONDS)
        connection.connect(path)
        connection.sendall(f"{command}\n".encode())
        with connection.makefile("r") as answer:
            return answer.read()
