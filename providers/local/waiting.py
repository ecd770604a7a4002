"""Waiting for machines while the user sees how far they are."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

from providers.local import progress
from providers.local.client import Client
from providers.local.specs import MachineGroup, Readiness
from providers.local.view import MachineView

BOOT_TIMEOUT = 120.0
"""Seconds for a group's machines to come to cloud-init; an idle host takes 2."""
MAX_QUICK_DEATHS = 3
"""After which nobody waits for a machine to boot any longer."""
POLL = 0.25
"""Seconds between two looks at machines that are waited for."""


class CancelledError(Exception):
    """The user asked to stop."""


class WaitError(Exception):
    """Machines did not come as far as they were to."""


@dataclass(frozen=True)
class Goal:
    """What is waited for."""

    verb: str
    network: str
    machines: frozenset[str]
    seconds: float
    lacks: Callable[[MachineView], str | None]
    """What a machine still lacks, or None."""
    hopeless: Callable[[MachineView], bool]
    """Whether to give up before the time is over."""


class Waiting:
    """Waits until a goal is reached, its time is over, or the user cancels."""

    def __init__(self, engine_address: str, client: Client, cancelled: threading.Event) -> None:
        self._engine = engine_pb2_grpc.EngineStub(grpc.insecure_channel(engine_address))
        self._client = client
        self._cancelled = cancelled

    def until_started(self, urn: str, group: MachineGroup) -> None:
        """Until cloud-init has started on all machines of a group.

        Raises:
            WaitError: it did not; the message has the end of their consoles.
            CancelledError: the user cancelled.
        """
        names = frozenset(slot.machine for slot in group.slots)
        self._until(
            urn,
            Goal(
                verb="booted",
                network=group.network,
                machines=names,
                seconds=BOOT_TIMEOUT,
                lacks=lambda view: None if view.started else progress.say(view),
                hopeless=lambda view: view.quick_deaths >= MAX_QUICK_DEATHS,
            ),
        )

    def until_ready(self, urn: str, spec: Readiness) -> None:
        """Until all machines say that they are ready, with the templates named; raises as `until_started`."""
        names = frozenset(spec.machines)
        self._until(
            urn,
            Goal(
                verb="ready",
                network=spec.network,
                machines=names,
                seconds=spec.timeout_seconds,
                lacks=lambda view: progress.lacking(view, spec.templates),
                # A machine that dies may yet come to itself when others do.
                hopeless=lambda view: False,
            ),
        )

    def _until(self, urn: str, goal: Goal) -> None:
        began, told = time.monotonic(), ""
        while True:
            views = {view.machine: view for view in self._client.machines(network=goal.network)}
            missing = _missing(goal, views)
            if not missing:
                return
            if (line := progress.summary(goal.verb, len(goal.machines), missing)) != told:
                told = line
                self._tell(urn, line)
            seconds = time.monotonic() - began
            if seconds > goal.seconds or any(goal.hopeless(views[name]) for name in missing if name in views):
                consoles = {name: self._console(goal.network, name) for name in missing if name in views}
                raise WaitError(progress.failure(goal.verb, seconds, missing, consoles))
            if self._cancelled.wait(POLL):
                raise CancelledError("cancelled")

    def _console(self, network: str, machine: str) -> list[str]:
        return list(self._client.console(network, machine, progress.CONSOLE_LINES)["lines"])

    def _tell(self, urn: str, line: str) -> None:
        self._engine.Log(engine_pb2.LogRequest(severity=engine_pb2.INFO, message=line, urn=urn, ephemeral=True))


def _missing(goal: Goal, views: Mapping[str, MachineView]) -> dict[str, str]:
    reasons = {name: goal.lacks(views[name]) if name in views else "there is no such machine" for name in goal.machines}
    return {name: reason for name, reason in sorted(reasons.items()) if reason is not None}
