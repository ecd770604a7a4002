"""What a change of a resource means: nothing, an update, or a replacement. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from providers.local.specs import Kind

REPLACING: Final[Mapping[Kind, frozenset[str]]] = {
    Kind.NETWORK: frozenset({"name", "cidr", "zones"}),
    Kind.VOLUME: frozenset({"name", "network", "zone"}),
    Kind.MACHINE_GROUP: frozenset({"name", "network", "role"}),
    Kind.SECRET: frozenset({"name", "network"}),
    Kind.BUCKET: frozenset({"name", "network"}),
    Kind.BUCKET_OBJECT: frozenset({"bucket", "key"}),
    Kind.READINESS: frozenset({"network"}),
}
"""Properties that cannot change while the resource lives."""


def changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Names of properties that differ; one that is not known yet counts as different."""
    return sorted(name for name in {*old, *new} if old.get(name) != new.get(name))


def replacing(kind: Kind, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Names of changed properties that ask for a replacement."""
    names = [name for name in changed(old, new) if name in REPLACING[kind]]
    if kind is Kind.NETWORK and _zones_added(old.get("zones"), new.get("zones")):
        names.remove("zones")
    return names


def _zones_added(old: Any, new: Any) -> bool:
    # A zone's number is its place in the list: only at the end is there room for more.
    return isinstance(old, list) and isinstance(new, list) and old != new and new[: len(old)] == old


def shrinks(kind: Kind, old: Mapping[str, Any], new: Mapping[str, Any]) -> str | None:
    """Why a volume cannot have its new size, or None."""
    before, after = old.get("sizeMb"), new.get("sizeMb")
    if kind is Kind.VOLUME and isinstance(before, int) and isinstance(after, int) and after < before:
        return f"{after} is less than the volume has ({before}): a volume can only grow"
    return None
