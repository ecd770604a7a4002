"""What stand-ins without an emulator have made: a folder with one file per resource, which outlives the plugins' own
processes, so that a rehearsal can look into it and take something away.
"""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Self

FOLDER_VARIABLE: Final = "KUBE_HA_LEDGER"


class LedgerError(Exception):
    """The cloud would say no: something is there already, or is not there."""


@dataclass(frozen=True)
class Entry:
    """A resource that was made."""

    identity: str
    type: str
    """Its token: `gcp:container/cluster:Cluster`."""
    state: dict[str, Any]
    """Inputs and outputs."""


@dataclass(frozen=True)
class Ledger:
    """The resources of a pretended cloud."""

    folder: Path

    @classmethod
    def here(cls) -> Self:
        """The one that the environment names.

        Raises:
            LedgerError: it names none: nobody must take a stand-in for the cloud.
        """
        folder = os.environ.get(FOLDER_VARIABLE)
        if not folder:
            raise LedgerError(
                f"{FOLDER_VARIABLE} is not set: this plugin only pretends to be a cloud, for `make rehearse`. Remove "
                "it from where plugins are, and the official one is used."
            )
        return cls(Path(folder))

    def add(self, identity: str, kind: str, state: dict[str, Any]) -> None:
        """Remember a resource that is new."""
        if self.file(identity, kind).exists():
            raise LedgerError(f"{identity} exists already")
        self.write(identity, kind, state)

    def change(self, identity: str, kind: str, state: dict[str, Any]) -> None:
        """Remember what became of a resource."""
        if not self.file(identity, kind).exists():
            raise LedgerError(f"{identity} does not exist")
        self.write(identity, kind, state)

    def remove(self, identity: str, kind: str) -> None:
        """Forget a resource; one that is gone already is no error, as it is none to a provider."""
        self.file(identity, kind).unlink(missing_ok=True)

    def find(self, identity: str, kind: str) -> Entry | None:
        """The resource with an identity; None where there is none."""
        file = self.file(identity, kind)
        return entry(file) if file.exists() else None

    def entries(self, kind: str = "") -> Iterator[Entry]:
        """Everything, or everything of a type."""
        for file in sorted(self.folder.glob("*.json")):
            found = entry(file)
            if kind in ("", found.type):
                yield found

    def must_have(self, identities: Iterable[str]) -> None:
        """Refuse references to what is not there.

        Raises:
            LedgerError: naming each.
        """
        known = {found.identity.lower() for found in self.entries()}
        missing = sorted({identity for identity in identities if identity.lower() not in known})
        if missing:
            raise LedgerError(f"refers to {', '.join(missing)}, which does not exist")

    def write(self, identity: str, kind: str, state: dict[str, Any]) -> None:
        file = self.file(identity, kind)
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(".draft")
        draft.write_text(json.dumps({"identity": identity, "type": kind, "state": state}))
        draft.replace(file)  # whoever reads meanwhile reads all or nothing

    def file(self, identity: str, kind: str) -> Path:
        return self.folder / f"{sha256(f'{kind} {identity.lower()}'.encode()).hexdigest()[:32]}.json"


def entry(file: Path) -> Entry:
    """A resource as its file has it."""
    return Entry(**json.loads(file.read_text()))
