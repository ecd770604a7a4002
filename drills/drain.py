"""Draining a node as kubectl does: cordon it, then evict what may move, respecting every PodDisruptionBudget."""

import http.client
import time
from collections.abc import Mapping
from typing import Any, Final

from drills.api import Api, ApiError

CORDONED: Final = "kube-ha.dev/drill-cordoned"
"""Annotation of nodes that a drill made unschedulable, so that no other is ever made schedulable again."""
EVICTION_SECONDS: Final = 60.0
RETRY_SECONDS: Final = 1.0


class DrainError(Exception):
    """A node could not be drained in time; names what did not leave."""


def drain(api: Api, node: str) -> None:
    """Cordon a node and evict its pods, except static ones and those of DaemonSets.

    Raises:
        ApiError: the API refused.
        DrainError: a pod was not evicted within a minute: its budget does not allow it.
    """
    api.call(
        "PATCH",
        f"/api/v1/nodes/{node}",
        {"metadata": {"annotations": {CORDONED: "true"}}, "spec": {"unschedulable": True}},
    )
    until = time.monotonic() + EVICTION_SECONDS
    pods = api.call("GET", f"/api/v1/pods?fieldSelector=spec.nodeName={node}")["items"]
    for pod in filter(moves, pods):
        _evict(api, pod["metadata"]["namespace"], pod["metadata"]["name"], until)


def uncordon(api: Api) -> None:
    """Make the nodes schedulable that a drill made unschedulable.

    Raises:
        ApiError: the API refused.
    """
    for node in api.call("GET", "/api/v1/nodes")["items"]:
        if CORDONED in node["metadata"].get("annotations", {}):
            change = {"metadata": {"annotations": {CORDONED: None}}, "spec": {"unschedulable": None}}
            api.call("PATCH", f"/api/v1/nodes/{node['metadata']['name']}", change)


def moves(pod: Mapping[str, Any]) -> bool:
    """Whether a drain evicts a pod."""
    metadata = pod["metadata"]
    static = "kubernetes.io/config.mirror" in metadata.get("annotations", {})
    return not static and all(owner["kind"] != "DaemonSet" for owner in metadata.get("ownerReferences", ()))


def _evict(api: Api, namespace: str, name: str, until: float) -> None:
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": namespace}}
    while True:
        try:
            api.call("POST", f"/api/v1/namespaces/{namespace}/pods/{name}/eviction", eviction)
        except ApiError as error:
            if error.status == http.client.NOT_FOUND:
                return
            if error.status != http.client.TOO_MANY_REQUESTS:
                raise
            if time.monotonic() > until:
                raise DrainError(
                    f"pod {namespace}/{name} was not evicted in {EVICTION_SECONDS:g} s: {error}"
                ) from error
            time.sleep(RETRY_SECONDS)
        else:
            return
