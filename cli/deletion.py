"""What a `make down` deletes, from the stack's state; pure."""

from collections.abc import Sequence
from typing import Any

LOCAL_PACKAGES = {"pulumi", "kube-ha", "local", "tls", "random"}
"""Packages whose resources are on this machine or in the state alone."""
DATA_TYPES = ("Volume", "Bucket", "BucketV2", "Disk", "ManagedDisk", "StorageAccount")
"""Last part of the types that hold data of the cluster, in any cloud."""
DATALESS_TYPES = ("Readiness",)
"""Last part of the types that are protected for what depends on them, and hold nothing."""

Resource = dict[str, Any]


def is_local(resources: Sequence[Resource]) -> bool:
    """Whether nothing of a stack is outside this machine."""
    return {resource["type"].split(":")[0] for resource in resources} <= LOCAL_PACKAGES


def data(resources: Sequence[Resource]) -> list[str]:
    """What holds data, for people: `volume local-master-1 (protected)`."""
    return [described(resource) for resource in resources if holds_data(resource)]


def holds_data(resource: Resource) -> bool:
    """Whether a resource is a volume or a store, or is protected as they are."""
    kind = resource["type"].split(":")[-1]
    return kind in DATA_TYPES or bool(resource.get("protect") and kind not in DATALESS_TYPES)


def described(resource: Resource) -> str:
    """A resource in a line."""
    kind, name = resource["type"].split(":")[-1], resource["urn"].split("::")[-1]
    return f"{kind} {name}" + (" (protected)" if resource.get("protect") else "")
