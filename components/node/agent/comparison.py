"""What a snapshot holds, against what is live: pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

PATHS: Final = (
    "/api/v1/namespaces",
    "/api/v1/configmaps",
    # Readable only where the key that encrypted them is there.
    "/api/v1/secrets",
    "/api/v1/serviceaccounts",
    "/apis/apps/v1/deployments",
    "/apis/apps/v1/daemonsets",
    "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
)
"""Kinds that are compared: what people would miss first, of each way in which objects are stored."""

LIMIT: Final = 500
"""Objects of each kind."""

IDENTITY: Final = "kube-system"
"""The Namespace whose UID is a cluster's identity to everybody who needs one."""

SHOWN: Final = 3

Object = Mapping[str, Any]


@dataclass(frozen=True)
class Comparison:
    """What was found."""

    equal: int
    later: int
    """Changed or deleted since the snapshot, as is to be expected."""
    different: Sequence[str]
    """Objects of the same version with another content: these are damaged."""
    stranger: bool
    """Whether the snapshot is of another cluster."""

    @property
    def good(self) -> bool:
        """Whether the snapshot holds what it should."""
        return self.equal > 0 and not self.different and not self.stranger

    @property
    def message(self) -> str:
        """In words."""
        if self.stranger:
            return f"of another cluster, or empty: its Namespace {IDENTITY} is not the live one"
        if self.different:
            rest = len(self.different) - SHOWN
            names = ", ".join(self.different[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")
            return f"{names}: another content than the live object of the same version"
        if not self.equal:
            return "no object in it is like a live one"
        return f"{self.equal} objects equal to the live ones, {self.later} changed since"


def compare(restored: Iterable[Object], live: Iterable[Object], revision: int) -> Comparison:
    """Compare objects of the kinds in `PATHS`.

    `revision` is the snapshot's: what the throwaway API server wrote itself, as each does when it starts, is later.
    """
    now = {identity(one): one for one in live}
    equal, later, different, stranger = 0, 0, [], True
    for one in restored:
        found, version = now.get(identity(one)), one["metadata"]["resourceVersion"]
        same = found is not None and found["metadata"]["uid"] == one["metadata"]["uid"]
        if same and identity(one) == ("Namespace", "", IDENTITY):
            stranger = False
        if found is None or not same or found["metadata"]["resourceVersion"] != version or int(version) > revision:
            later += 1
        elif found == one:
            equal += 1
        else:
            different.append(" ".join(part for part in identity(one) if part))
    return Comparison(equal, later, tuple(different), stranger)


def identity(one: Object) -> tuple[str, str, str]:
    """Kind, namespace and name."""
    return one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"]


def objects(listing: Mapping[str, Any]) -> list[Object]:
    """The items of a list as the API server sends it: with a kind, which its items lack."""
    kind = listing["kind"].removesuffix("List")
    return [{**item, "kind": kind} for item in listing.get("items") or ()]
