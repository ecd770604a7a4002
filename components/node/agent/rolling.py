"""Replaces this machine when its group's template changes, or when its own parts cannot be mended: one of the cluster
at a time, while all others are well. Leaves in order when the cloud ends it.

The lock is taken by this incarnation and freed by the next one, when that is whole. A template that makes no whole
machine stops there: the others see that a machine is not ready.
"""

import json
import time
import urllib.request
from collections.abc import Callable
from typing import Any, Final

from components.node.agent.cloud import CloudError
from components.node.agent.cluster import answers
from components.node.agent.status import PORT
from components.node.agent.step import Context
from components.node.etcd import metrics_url
from components.node.lock import LockedError
from components.node.machine import Role
from components.node.record import Keys

PURPOSE: Final = "replacement"

TEMPLATE_CHANGED: Final = "its group's template changed"

LOCK_SECONDS: Final = 600.0
"""Longer than a machine takes from its end to being whole again, in any cloud."""

CHECK_SECONDS: Final = 10.0

END_SECONDS: Final = 300.0
"""How long the cloud may take to end a machine that asked for it."""


class Rolling:
    """Looks at the template now and then. `leave` prepares all steps for the end."""

    def __init__(self, context: Context, leave: Callable[[], None]) -> None:
        self._context = context
        self._leave = leave
        self._checked = 0.0
        self._introduced = self._released = False

    def tick(self, *, whole: bool) -> None:
        """Called every few seconds; `whole` is whether this machine is ready."""
        if time.monotonic() - self._checked < CHECK_SECONDS and not (whole and not self._released):
            return
        self._checked = time.monotonic()
        context = self._context
        try:
            self._introduce()
            if whole and not self._released:
                self._release()
            if context.cloud.ending():
                self._end()
            context.instance = context.cloud.instance()
            if (reason := self._reason()) is not None:
                self._replace(reason)
        except LockedError as error:
            context.log.changed("rolling", f"{self._reason()}; waiting: {error}")
        except CloudError as error:
            context.log.changed("rolling", str(error))

    def _reason(self) -> str | None:
        """Why this machine is to be replaced, if it is."""
        instance = self._context.instance
        return TEMPLATE_CHANGED if instance.template != instance.desired_template else self._context.replacement

    def _introduce(self) -> None:
        """Say once where this machine is, so that the others can ask how it is."""
        if self._introduced:
            return
        machine = self._context.machine
        presence = {
            "machine": machine.name,
            "role": machine.role.value,
            "address": machine.address,
            "authorities": machine.authorities.model_dump(mode="json"),
        }
        self._context.cloud.put(Keys(machine.uid).presence(machine.name), json.dumps(presence).encode())
        self._introduced = True

    def _release(self) -> None:
        """Free the lock that the incarnation before took for its replacement by this one."""
        lock = self._context.lock
        current, _ = lock.read()
        if current is not None and current.holder == self._context.machine.name and current.purpose == PURPOSE:
            lock.acquire(PURPOSE, LOCK_SECONDS)
            lock.release()
            self._context.log("rolling", "replaced and whole: the cluster's lock is free")
        self._released = True

    def _end(self) -> None:
        """Leave because the cloud says so: it waits, but not for long, and asks nobody else."""
        context = self._context
        context.log("rolling", "the cloud is about to end this machine: leaving")
        self._leave()
        context.cloud.let_go()
        time.sleep(END_SECONDS)
        raise SystemExit(f"the cloud did not end this machine within {END_SECONDS:.0f} s of being let go")

    def _replace(self, reason: str) -> None:
        context, lock = self._context, self._context.lock
        if self._others_unwell():
            return
        with lock.hold(PURPOSE, LOCK_SECONDS):
            # Asked again under the lock: whoever held it before may have left a machine unwell.
            if self._others_unwell():
                return
            context.log("rolling", f"{reason}, and all others are well: asking for a replacement")
            self._leave()
            lock.confirm()
            context.cloud.replace_me(reason)
            time.sleep(END_SECONDS)
            raise SystemExit(f"the cloud did not end this machine within {END_SECONDS:.0f} s of being asked to")

    def _others_unwell(self) -> bool:
        if others := self._unwell():
            self._context.log.changed("rolling", f"{self._reason()}; waiting until all others are well: {others}")
        return bool(others)

    def _unwell(self) -> str:
        """Which other machines are not ready, in words; empty when all are."""
        context, machine = self._context, self._context.machine
        known = [json.loads(context.cloud.get(entry.key)[0]) for entry in self._presences()]
        others = [entry for entry in known if entry["machine"] != machine.name]
        unwell = [f"{entry['machine']} is not ready" for entry in others if not _ready(entry)]
        masters = sum(entry["role"] == Role.MASTER for entry in known)
        if masters < machine.kubernetes.masters:
            unwell.append(f"{masters} of {machine.kubernetes.masters} masters are known")
        for member in machine.etcd.members:
            if member.name != machine.name and not answers(metrics_url(member.address, "/health"), timeout=2):
                unwell.append(f"etcd member {member.name} is not healthy")
        return ", ".join(unwell)

    def _presences(self) -> list[Any]:
        prefix = Keys(self._context.machine.uid).presence("").removesuffix(".json")
        return list(self._context.cloud.list(prefix))


def _ready(entry: dict[str, str]) -> bool:
    try:
        with urllib.request.urlopen(f"http://{entry['address']}:{PORT}/status", timeout=2) as answer:
            return bool(json.loads(answer.read())["ready"])
    except (OSError, ValueError, KeyError):
        return False
