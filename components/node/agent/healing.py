"""The step `healing`: what runs on this machine is watched, restarted with patience, and at last replaced.

In a thread of its own from early on, since a part that hangs may be what a later step waits for.
"""

import json
import shutil
import time
from collections import defaultdict
from typing import Final

from components.node import containerd, kubelet
from components.node.agent import static_pods
from components.node.agent.background import Background
from components.node.agent.cluster import answers
from components.node.agent.examination import examine
from components.node.agent.expiry import days_left
from components.node.agent.node_conditions import NodeConditions
from components.node.agent.step import Context, Step
from components.node.agent.store_clock import store_time
from components.node.etcd import metrics_url
from components.node.machine import Machine, Role
from components.node.record import Keys
from components.node.remedies import Part, Remedy, decide, may_not_replace

ROUND_SECONDS: Final = 30.0

UNITS: Final = {Part.KUBELET: kubelet.UNIT, Part.CONTAINERD: containerd.UNIT}
"""What systemd runs; all else is a static pod."""

FREE_SHARE: Final = 0.1
"""Of a disk. etcd's quota is four fifths of its volume at most, so a volume with less has something else on it."""

CERTIFICATE_DAYS: Final = 14.0
"""Leaves are renewed when a third of their year is left: one with less than this was not."""


class Healing(Step):
    """Of one machine."""

    name = "healing"

    def __init__(self) -> None:
        self._background: Background | None = None
        self._unwell_since: dict[Part, float] = {}
        self._restarted: dict[Part, list[float]] = defaultdict(list)
        self._conditions = NodeConditions()

    def applies(self, machine: Machine) -> bool:
        return machine.role is not Role.BALANCER

    def run(self, context: Context) -> None:
        if self._background is None:
            self._background = Background(context, self.name, lambda: self.round(context), ROUND_SECONDS)
            self._background.start()

    def round(self, context: Context) -> None:
        """Look once, and act."""
        look_at_disks(context)
        look_at_certificates(context)
        if context.machine.role is Role.MASTER:
            self.heal(context)
            self._conditions.tell(context)

    def heal(self, context: Context) -> None:
        """Examine this master's parts and do what is due; what is unwell is a concern."""
        found, now = examine(context), time.monotonic()
        unwell = [part for part in Part if found.get(part) is not None]
        if not unwell:
            self._withdraw(context)
        etcd_serves = not unwell or serves(context)
        for part in Part:
            if (wrong := found.get(part)) is None:
                self._unwell_since.pop(part, None)
                context.concerns.pop(part, None)
                continue
            since = self._unwell_since.setdefault(part, now)
            restarted = [now - then for then in self._restarted[part]]
            decision = decide(part, now - since, restarted, etcd_serves=etcd_serves)
            context.concerns[part] = f"{part}: {wrong}; {decision.reason}"
            if decision.remedy is Remedy.RESTART:
                self._restarted[part].append(now)
                self._conditions.note(context, "Restarted", f"{part}: {wrong}; {decision.reason}: restarted")
                restart(context, part)
            elif decision.remedy is Remedy.REPLACE:
                self._ask_for_another(context, f"{part} is {decision.reason}")

    def _ask_for_another(self, context: Context, reason: str) -> None:
        if context.replacement is not None:
            return
        if (hindrance := hindered(context)) is not None:
            context.concerns["replacement"] = f"{reason}; not replaced: {hindrance}"
            return
        context.cloud.put(Keys(context.machine.uid).healed(context.machine.name), mark(reason))
        self._conditions.note(context, "Replaced", f"{reason}: asking for another machine")
        context.replacement = reason

    @staticmethod
    def _withdraw(context: Context) -> None:
        """What asked for another machine is over before the others could spare this one."""
        context.concerns.pop("replacement", None)
        if context.replacement is not None:
            context.replacement = None
            context.cloud.delete(Keys(context.machine.uid).healed(context.machine.name))


def serves(context: Context) -> bool:
    """Whether etcd has a quorum, as any member says."""
    return any(answers(metrics_url(member.address, "/health"), timeout=2) for member in context.machine.etcd.members)


def restart(context: Context, part: Part) -> None:
    """End it and have it started again, by systemd or by the kubelet."""
    context.metrics.count("remedies_total", {"part": part})
    if (unit := UNITS.get(part)) is not None:
        context.services.restart(unit, wait=False)
    else:
        static_pods.end(part)


def mark(reason: str) -> bytes:
    """What says that a machine was replaced for its health, and when by its own clock: for people."""
    return json.dumps({"time": time.time(), "reason": reason}).encode()


def hindered(context: Context) -> str | None:
    """Why this machine may not be replaced for its health now. Raises `CloudError`.

    By the store's clock: machines wrote the marks, and one whose own was set would be replaced again, or never.
    """
    now, prefix = store_time(context), Keys(context.machine.uid).healed("").removesuffix(".json")
    ages = {
        entry.key.removeprefix(prefix).removesuffix(".json"): now - entry.modified
        for entry in context.cloud.list(prefix)
    }
    own = ages.pop(context.machine.name, None)
    return may_not_replace(own, ages)


def look_at_disks(context: Context) -> None:
    """A concern where one is nearly full; nothing that holds data is deleted."""
    full = []
    for path in (context.paths.root, context.paths.etcd_volume):
        if path.is_dir():
            usage = shutil.disk_usage(path)
            context.metrics.set("disk_free_bytes", usage.free, {"path": str(path)})
            if usage.free < FREE_SHARE * usage.total:
                full.append(f"{path} has {usage.free / 1024**3:.1f} of {usage.total / 1024**3:.1f} GiB free")
    if full:
        context.concerns["disk"] = ", ".join(full)
    else:
        context.concerns.pop("disk", None)


def look_at_certificates(context: Context) -> None:
    """A concern where one is not renewed in time, by whatever renews it."""
    days = days_left(context.paths.root, context.metrics)
    if days is not None and days < CERTIFICATE_DAYS:
        context.concerns["certificates"] = f"a certificate ends in {days:.0f} days and was not renewed"
    else:
        context.concerns.pop("certificates", None)
