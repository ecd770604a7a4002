"""The folders on a member's volume. A folder's name says whose data it is, so that the two cannot part.

/var/lib/etcd/<uid>-<generation>-<member ID>/          etcd's data folder
/var/lib/etcd/<uid>-<generation>-<member ID>.nonce     prepared: a mark is about to be written, etcd never ran
/var/lib/etcd/set-aside/<time>-<folder>/               never deleted by a machine
"""

import re
import secrets
import shutil
import time
from pathlib import Path
from typing import Final

from components.node.agent.files import sync_folder, write
from components.node.membership import Data

SET_ASIDE: Final = "set-aside"
RESTORED: Final = ".restored"
RESTORING: Final = ".restoring"

_NAME: Final = re.compile(r"(?P<uid>.+)-(?P<generation>[0-9]+)-(?P<member_id>[0-9a-f]+)")


class FolderError(Exception):
    """The volume holds something that the agent would not have put there."""


class Folders:
    """The volume mounted at `volume`."""

    def __init__(self, volume: Path) -> None:
        self._volume = volume

    def data(self, uid: str) -> Data | None:
        """What etcd ran on: of this cluster the newest generation, else of whatever cluster there is.

        Data is what has a write-ahead log: etcd votes and acknowledges nothing before it has one.
        """
        found = [data for path in self._volume.iterdir() if (data := _parse(path)) and _has_log(path)]
        return max(found, key=lambda data: (data.uid == uid, data.generation), default=None)

    def has_log(self, data: Data) -> bool:
        """Whether etcd ever ran on `data`."""
        return _has_log(self.path(data))

    def path(self, data: Data) -> Path:
        """etcd's data folder for `data`."""
        return self._volume / f"{data.uid}-{data.generation}-{data.member_id:x}"

    def restored(self, data: Data) -> Path:
        """A snapshot that was restored and may be adopted."""
        return self._volume / f"{self.path(data).name}{RESTORED}"

    def restoring(self, data: Data) -> Path:
        """Where a snapshot is restored to."""
        return self._volume / f"{self.path(data).name}{RESTORING}"

    def set_aside(self, data: Data) -> Path:
        """Rename the data away; where to. Also whatever was prepared under its name."""
        self.spend(data)
        source = self.path(data)
        target = self._volume / SET_ASIDE / f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{source.name}"
        target.parent.mkdir(exist_ok=True)
        while target.exists():
            target = target.with_name(f"{target.name}+")
        source.rename(target)
        sync_folder(target.parent)
        sync_folder(self._volume)
        return target

    def nonce(self, data: Data) -> str | None:
        """The nonce under which `data` is prepared, if it is."""
        path = self._nonce_path(data)
        return path.read_text() if path.is_file() else None

    def prepare(self, data: Data) -> str:
        """Make sure that `data` is prepared; its nonce. It is to be started, or has to have its log, next."""
        if (nonce := self.nonce(data)) is None:
            nonce = secrets.token_hex(16)
            write(self._nonce_path(data), nonce.encode())
        return nonce

    def spend(self, data: Data) -> None:
        """Forget that `data` was prepared: etcd has a log now, or never will under this mark."""
        self._nonce_path(data).unlink(missing_ok=True)
        sync_folder(self._volume)

    def clear(self, data: Data) -> None:
        """Make room for a new data folder: a folder without a log holds nothing that anybody relied on."""
        path = self.path(data)
        if _has_log(path):
            raise FolderError(f"{path}: holds etcd's data; refusing to clear it")
        if path.exists():
            shutil.rmtree(path)

    def discard_restores(self) -> None:
        """Make room for a snapshot to be restored: nobody has relied on what was never adopted."""
        for path in self._volume.iterdir():
            if path.suffix in {RESTORED, RESTORING}:
                shutil.rmtree(path)

    def keep_restored(self, data: Data) -> None:
        """The restore is complete."""
        self.restoring(data).rename(self.restored(data))
        sync_folder(self._volume)

    def adopt_restored(self, data: Data) -> None:
        """Make the restored snapshot the data. After this it is data like any other."""
        self.clear(data)
        self.restored(data).rename(self.path(data))
        sync_folder(self._volume)

    def _nonce_path(self, data: Data) -> Path:
        return self._volume / f"{self.path(data).name}.nonce"


def _parse(path: Path) -> Data | None:
    match = _NAME.fullmatch(path.name)
    if match is None or not path.is_dir():
        return None
    return Data(match["uid"], int(match["generation"]), int(match["member_id"], 16))


def _has_log(path: Path) -> bool:
    log = path / "member" / "wal"
    return log.is_dir() and any(entry.suffix == ".wal" for entry in log.iterdir())
