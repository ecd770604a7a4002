"""What etcd's file does not show a person: what kinds of things there are and how the stack is set, day by day.

Sorted and without what changes by itself, so that two days differ only where somebody changed something. Never
Secrets: the API returns them decrypted.
"""

import json
import time
from collections.abc import Mapping
from typing import Any, Final

from components.node import cni
from components.node.agent import nodes
from components.node.agent.cloud import ConflictError
from components.node.agent.kubectl import Kubectl, local
from components.node.agent.step import Context
from components.node.machine import Machine
from components.node.snapshots import SnapshotKeys

KINDS: Final = ("customresourcedefinitions", "storageclasses", "csidrivers", "ingressclasses", "priorityclasses")

VOLATILE: Final = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "uid")

OF_A_MACHINE: Final = ("role", "name", "zone", "address", "artifacts", "balancing")
"""What of the machine document differs between the machines of a stack."""

DAY_SECONDS: Final = 86400.0


def keep(context: Context, now: float) -> bool:
    """Store today's inventory unless it is there; delete what is older than the oldest snapshot. Whether it was stored.

    Raises:
        KubectlError: the API server did not answer.
    """
    keys = SnapshotKeys(context.machine.uid)
    # The last file that is written: a day that has it is complete.
    if any(context.cloud.list(keys.inventory(day(now), "settings"))):
        return False
    for name, content in gather(local(context), context.machine).items():
        try:
            context.cloud.put(keys.inventory(day(now), name), render(content).encode(), if_absent=True)
        except ConflictError:
            continue
    oldest = day(now - max((tier.for_seconds for tier in context.machine.snapshots.keep), default=DAY_SECONDS))
    for entry in context.cloud.list(keys.inventories):
        if entry.key.removeprefix(keys.inventories) < oldest:
            context.cloud.delete(entry.key)
    return True


def gather(kubectl: Kubectl, machine: Machine) -> Mapping[str, Any]:
    """File name → content, in the order in which they are to be written."""
    found = {kind: [stable(one) for one in (kubectl.get(kind) or {}).get("items", [])] for kind in KINDS}
    return {**found, "network": network(kubectl, machine), "settings": settings(machine)}


def stable(one: Mapping[str, Any]) -> dict[str, Any]:
    """An object without what changes by itself."""
    metadata = {name: value for name, value in one["metadata"].items() if name not in VOLATILE}
    return {**{name: value for name, value in one.items() if name != "status"}, "metadata": metadata}


def network(kubectl: Kubectl, machine: Machine) -> dict[str, Any]:
    """The network plugin's configuration on each Node, as the agent renders it."""
    found = (kubectl.get("nodes") or {}).get("items", [])
    ranges = {nodes.name(node): nodes.pod_cidr(node) for node in found}
    return {
        "plugin": {
            name: cni.render(cidr, machine.kubernetes.pod_cidr) for name, cidr in ranges.items() if cidr is not None
        }
    }


def settings(machine: Machine) -> dict[str, Any]:
    """What all machines of the stack are told alike; the document holds no secret."""
    return machine.model_dump(mode="json", exclude=set(OF_A_MACHINE))


def render(content: Any) -> str:
    """Sorted and indented; JSON, which is YAML."""
    return json.dumps(content, sort_keys=True, indent=2, ensure_ascii=False) + "\n"


def day(now: float) -> str:
    """The UTC day of a Unix time."""
    return time.strftime("%Y-%m-%d", time.gmtime(now))
