"""What lives in the object store under `clusters/<uid>/`: the cluster's record, its members' marks, restore orders."""

import hashlib
from enum import StrEnum
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

PEER_PORT: Final = 2380

REVISIONS: Final = 1_000_000_000
"""etcd's own advice for restores under Kubernetes: more than there can have been since a snapshot."""


class Stored(BaseModel):
    """Base of what is stored: immutable. Unknown keys are ignored: an older agent reads what a newer one wrote."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    def encode(self) -> bytes:
        """The object's bytes."""
        return self.model_dump_json().encode()


class State(StrEnum):
    """How far a generation of the cluster has come."""

    FORMING = "forming"
    """Members without a mark may still form it with an empty disk."""
    FORMED = "formed"
    """Only a quorum lets an empty disk in."""


class Static(Stored):
    """The initial cluster that etcd computes its identities from."""

    generation: int = Field(ge=1)
    token: str = Field(min_length=1)
    members: dict[str, str] = Field(min_length=1)
    """Name → peer URL."""

    def member_id(self, name: str) -> int:
        """The ID of an initial member as etcd computes it (membership.computeMemberID of a static bootstrap)."""
        digest = hashlib.sha1((self.members[name] + self.token).encode(), usedforsecurity=False).digest()
        return int.from_bytes(digest[:8], "big")

    @property
    def cluster_id(self) -> int:
        """The cluster's ID as etcd computes it (RaftCluster.genID of a static bootstrap)."""
        identities = sorted(self.member_id(name) for name in self.members)
        packed = b"".join(identity.to_bytes(8, "big") for identity in identities)
        return int.from_bytes(hashlib.sha1(packed, usedforsecurity=False).digest()[:8], "big")

    @property
    def initial_cluster(self) -> str:
        """etcd's `initial-cluster`."""
        return ",".join(f"{name}={url}" for name, url in sorted(self.members.items()))


class Record(Static):
    """`record.json`: the one truth about which cluster this is."""

    state: State


class RestoreOrder(Static):
    """`restore.json`: become a new generation from this snapshot."""

    snapshot: str = Field(min_length=1)
    """Key of the snapshot in the bucket."""
    sha256: str
    begins_at: int = 0
    """Revision of the new history's first write; beyond every revision that any history before it came to."""
    bump: int = REVISIONS
    """What is added to the snapshot's revision for that."""
    masters: tuple[str, ...] = ()
    """Masters whose API servers stop first."""
    time: float = 0
    """Unix time of the order, by the clock of whoever gave it; for people."""
    withdrawn: str = ""
    """Why nobody has to obey it any more: no majority could restore the snapshot. Empty while it holds."""

    def record(self) -> Record:
        """The record of the ordered generation.

        It is formed from the start: an empty disk that took part in the static initial cluster would be taken for one
        that has the snapshot, since the restored members' logs begin after it.
        """
        return Record(generation=self.generation, token=self.token, members=self.members, state=State.FORMED)


class Mark(Stored):
    """`joined/…` or `restored/…`: this member has, or may have, had data in this generation."""

    nonce: str
    """Random; also on the volume that is being prepared, so that a crash in between can go on."""


class Lock(Stored):
    """`lock.json`."""

    holder: str
    """Name of the machine, over its incarnations; empty when free."""
    purpose: str
    nonce: str
    """New with every write, so that a watcher sees a renewal."""
    seconds: float = Field(gt=0)
    """Without a renewal for this long, by the watcher's own clock, it may be taken over."""

    @model_validator(mode="after")
    def free_has_no_purpose(self) -> Self:
        """A free lock is for nothing."""
        if not self.holder and self.purpose:
            raise ValueError("a lock without a holder has no purpose")
        return self


class Keys:
    """Keys of one cluster's objects."""

    def __init__(self, uid: str) -> None:
        self._prefix = f"clusters/{uid}"
        self.record: Final = f"{self._prefix}/record.json"
        self.restore: Final = f"{self._prefix}/restore.json"
        self.lock: Final = f"{self._prefix}/lock.json"

    def joined(self, generation: int, member: str) -> str:
        """The mark of a member that forms, or formed, the generation."""
        return f"{self._prefix}/joined/{generation}/{member}"

    def restored(self, generation: int, member: str) -> str:
        """The mark of a member that restores, or restored, the generation's snapshot."""
        return f"{self._prefix}/restored/{generation}/{member}"

    def presence(self, machine: str) -> str:
        """What a machine last said about itself."""
        return f"{self._prefix}/machines/{machine}.json"

    def healed(self, machine: str) -> str:
        """When a machine was last replaced for its health, and why."""
        return f"{self._prefix}/healed/{machine}.json"


def peer_url(address: str) -> str:
    """A member's peer URL."""
    return f"https://{address}:{PEER_PORT}"
