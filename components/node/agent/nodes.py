"""This machine's Node, and the Nodes of machines that will not come back."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from components.node.health import NODE_GONE_SECONDS

CONTROL_PLANE: Final = "node-role.kubernetes.io/control-plane"

Node = Mapping[str, Any]


def name(node: Node) -> str:
    """The Node's name."""
    return str(node["metadata"]["name"])


def pod_cidr(node: Node) -> str | None:
    """The part of the pod network that the controller manager gave it; None before."""
    cidr = node.get("spec", {}).get("podCIDR")
    return None if cidr is None else str(cidr)


def address(node: Node) -> str | None:
    """Where its machine is in the network; None before its kubelet has said so."""
    addresses = node.get("status", {}).get("addresses", ())
    return next((str(entry["address"]) for entry in addresses if entry["type"] == "InternalIP"), None)


def of_another_machine(node: Node, provider_id: str) -> bool:
    """Whether it is the Node of the machine that had this name before: what a Node says of its machine is for good.

    `provider_id`: of the machine; empty where no cloud controller asks for it.
    """
    return bool(provider_id) and node.get("spec", {}).get("providerID") != provider_id


def has_agent(node: Node) -> bool:
    """Whether an agent looks after its pod network: a master's; a worker joins without one."""
    return CONTROL_PLANE in node["metadata"].get("labels", {})


def ready(node: Node) -> bool:
    """Whether its kubelet says that pods can run."""
    return _condition(node).get("status") == "True"


def why_not_ready(node: Node) -> str:
    """The kubelet's own words."""
    return str(_condition(node).get("message", "its kubelet has not reported"))


def is_master(node: Node) -> bool:
    """Whether it is marked as carrying a control plane: by label and taint."""
    taints = node.get("spec", {}).get("taints", ())
    return CONTROL_PLANE in node["metadata"].get("labels", {}) and any(
        taint["key"] == CONTROL_PLANE for taint in taints
    )


def gone(found: Iterable[Node], keep: Iterable[str], now: datetime) -> list[str]:
    """Names of masters' Nodes that have been silent for so long that their machine is taken for gone.

    `keep`: names that a replacement takes over, whose Node is left for it with its pod CIDR. A machine that comes back
    after all finds its Node missing and registers anew.
    """
    kept = set(keep)
    return [
        name(node)
        for node in found
        if is_master(node) and name(node) not in kept and _silent_seconds(node, now) > NODE_GONE_SECONDS
    ]


def _condition(node: Node) -> Mapping[str, Any]:
    conditions = node.get("status", {}).get("conditions", ())
    return next((condition for condition in conditions if condition["type"] == "Ready"), {})


def _silent_seconds(node: Node, now: datetime) -> float:
    # The node controller sets Unknown, and when, once the kubelet's lease is not renewed any more.
    condition = _condition(node)
    if condition.get("status") != "Unknown":
        return 0
    since = datetime.fromisoformat(condition["lastTransitionTime"].replace("Z", "+00:00"))
    return (now - since).total_seconds()
