"""Snapshots in the object store: listed, added, thinned."""

from dataclasses import replace
from pathlib import Path
from typing import Protocol

from pydantic import ValidationError

from components.node.agent.cloud import AccessDeniedError, NotFoundError, StoredObject
from components.node.machine import Snapshots
from components.node.snapshots import (
    LEFTOVER_SECONDS,
    Catalogue,
    Metadata,
    Proof,
    Snapshot,
    SnapshotKeys,
    catalogue,
    surplus,
)


class BrokenSnapshotError(Exception):
    """The store holds something else than what was written; says what."""


class Objects(Protocol):
    """The part of a cloud that reading and thinning need."""

    def get(self, key: str) -> tuple[bytes, str]: ...

    def delete(self, key: str) -> None: ...

    def list(self, prefix: str) -> list[StoredObject]: ...


class Uploads(Objects, Protocol):
    """The part of a cloud that adding needs as well."""

    def put(
        self, key: str, content: bytes, *, if_absent: bool = False, if_match: str | None = None,
        retain_until: float | None = None,
    ) -> str: ...  # fmt: skip

    def upload(self, key: str, path: str, *, retain_until: float | None = None) -> None: ...


class SnapshotStore:
    """One cluster's. Every method raises `CloudError` where the store does not answer or refuses."""

    def __init__(self, objects: Objects, uid: str) -> None:
        self._objects = objects
        self._uid = uid
        self.keys = SnapshotKeys(uid)

    def catalogue(self) -> Catalogue:
        """What there is."""
        listing = {entry.key: entry.size for entry in self._objects.list(self.keys.prefix)}
        return catalogue(listing, self._uid)

    def metadata(self, name: str) -> Metadata:
        """What is known of a snapshot.

        Raises:
            NotFoundError: there is no such snapshot.
            BrokenSnapshotError: its metadata is none, or is another cluster's.
        """
        key = self.keys.metadata(name)
        try:
            metadata = Metadata.model_validate_json(self._objects.get(key)[0])
        except ValidationError as error:
            raise BrokenSnapshotError(f"{key}: {error}") from None
        if metadata.uid != self._uid:
            raise BrokenSnapshotError(f"{key}: is of cluster {metadata.uid}, not of {self._uid}")
        return metadata

    def proof(self, name: str) -> Proof | None:
        """What the last restore drill of a snapshot found; None where there was none."""
        try:
            return Proof.model_validate_json(self._objects.get(self.keys.proof(name))[0])
        except NotFoundError:
            return None

    def clock(self, written: str) -> float:
        """The store's Unix time, from an object that was written just now."""
        entries = {entry.key: entry for entry in self._objects.list(written)}
        if written not in entries:
            raise NotFoundError(f"{written}: was written just now and is not there")
        return entries[written].modified

    def thin(self, plan: Snapshots, now: float) -> list[str]:
        """Delete what the plan does not keep any more, and what never became a snapshot; the names."""
        found = self.catalogue()
        candidates = set(surplus(found.snapshots, plan.keep, now))
        known = [self._with_lock(one) if one in candidates else one for one in found.snapshots]
        gone = [one.name for one in surplus(known, plan.keep, now)]
        gone += [name for name in found.leftovers if _time(name) < now - LEFTOVER_SECONDS]
        return [name for name in gone if self._delete(name)]

    def _with_lock(self, snapshot: Snapshot) -> Snapshot:
        return replace(snapshot, retain_until=self.metadata(snapshot.name).retain_until)

    def _delete(self, name: str) -> bool:
        """The metadata goes first: what is left after a crash is a leftover, not a snapshot without content."""
        try:
            for key in (self.keys.metadata(name), self.keys.proof(name), self.keys.database(name)):
                self._objects.delete(key)
        except AccessDeniedError:
            return False
        return True


def add(cloud: Uploads, keys: SnapshotKeys, metadata: Metadata, snapshot: Snapshot, path: Path) -> None:
    """Upload a snapshot that was verified.

    Raises:
        BrokenSnapshotError: the store has another number of bytes than was sent.
    """
    retain_until = metadata.retain_until or None
    key = keys.database(snapshot.name)
    cloud.upload(key, str(path), retain_until=retain_until)
    stored = {entry.key: entry.size for entry in cloud.list(key)}.get(key)
    if stored != metadata.bytes:
        raise BrokenSnapshotError(f"{key}: {metadata.bytes} bytes were sent, the store has {stored}")
    cloud.put(keys.metadata(snapshot.name), metadata.encode(), retain_until=retain_until)


def _time(name: str) -> float:
    snapshot = Snapshot.parse(name)
    return snapshot.time if snapshot else 0.0
