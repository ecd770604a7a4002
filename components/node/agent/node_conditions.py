"""What a master thinks of itself, where whoever operates the cluster looks: conditions of its Node, and events.

As node-problem-detector has it, a condition is True where there is a problem.
"""

import json
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from components.node.agent.kubectl import KubectlError, local, others
from components.node.agent.step import Context

CONDITIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "ControlPlaneProblem": (),
    "BackupProblem": ("snapshots", "restore-drill", "proof", "keepsakes"),
    "CertificateProblem": ("certificates",),
    "ClockProblem": ("clock",),
    "DiskProblem": ("disk", "disk-speed"),
}
"""Condition → the subjects of a machine's concerns that it sums up; the first has what no other names."""

_NAMED: Final = frozenset(subject for subjects in CONDITIONS.values() for subject in subjects)

HEARTBEAT: Final = timedelta(minutes=5)
"""How old a condition becomes before it is said again unchanged: as a kubelet's `nodeStatusReportFrequency`."""

REPORTER: Final = "kube-ha-agent"
NAMESPACE: Final = "default"
"""Where events of what has no namespace are."""


class NodeConditions:
    """Of one machine. An API server that does not answer is no reason for anything."""

    def __init__(self) -> None:
        self._notes: list[dict[str, Any]] = []
        self._told: dict[str, str] | None = None
        self._told_at = 0.0

    def note(self, context: Context, reason: str, words: str) -> None:
        """An event; it is written with the next conditions, when an API server answers again."""
        context.log("healing", words)
        self._notes.append(event(context.machine.name, reason, words, datetime.now(UTC)))

    def tell(self, context: Context) -> None:
        """Write what changed; without a change not even an API server is asked."""
        concerns = dict(context.concerns)
        if concerns == self._told and not self._notes and time.monotonic() - self._told_at < HEARTBEAT.total_seconds():
            return
        for kubectl in (local(context), others(context)):
            try:
                node = kubectl.get("node", context.machine.name)
                if node is None:
                    return
                if due := changed(node["status"].get("conditions", ()), concerns, datetime.now(UTC)):
                    patch = json.dumps({"status": {"conditions": due}})
                    kubectl("patch", "node", context.machine.name, "--subresource=status", f"--patch={patch}")
                while self._notes:
                    kubectl("create", "--filename=-", stdin=json.dumps(self._notes[0]))
                    self._notes.pop(0)
            except KubectlError as error:
                context.log.changed("conditions", str(error))
            else:
                self._told, self._told_at = concerns, time.monotonic()
                return


def changed(present: Iterable[Mapping[str, Any]], concerns: Mapping[str, str], now: datetime) -> list[dict[str, Any]]:
    """The conditions that differ from those that a Node has, or were last said long ago."""
    known = {condition["type"]: condition for condition in present}
    due = []
    for kind, subjects in CONDITIONS.items():
        words = "; ".join(
            concern for subject, concern in concerns.items() if subject in (subjects or concerns.keys() - _NAMED)
        )
        told = {
            "type": kind,
            "status": "True" if words else "False",
            "reason": kind if words else f"No{kind}",
            "message": words or "nothing is wrong",
        }
        before = known.get(kind, {})
        same = before.get("status") == told["status"]
        fresh = same and before["message"] == told["message"] and now - _time(before["lastHeartbeatTime"]) < HEARTBEAT
        if not fresh:
            since = before["lastTransitionTime"] if same else _stamp(now)
            due.append({**told, "lastHeartbeatTime": _stamp(now), "lastTransitionTime": since})
    return due


def event(node: str, reason: str, words: str, now: datetime) -> dict[str, Any]:
    """An Event of a Node."""
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"generateName": f"{node}.", "namespace": NAMESPACE},
        "involvedObject": {"apiVersion": "v1", "kind": "Node", "name": node, "uid": node},
        "type": "Warning",
        "reason": reason,
        "message": words[:1024],
        "firstTimestamp": _stamp(now),
        "lastTimestamp": _stamp(now),
        "count": 1,
        "source": {"component": REPORTER, "host": node},
        "reportingComponent": REPORTER,
        "reportingInstance": node,
    }


def _stamp(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"


def _time(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp)
