"""Buckets: objects with conditional writes and retention, as the clouds' object stores have them.

An object is two files: its content under a random name, and its entry, which names the content and is replaced in one
step. So a reader sees the old object or the new one, and a crash leaves at most a content that nothing names.
"""

import hashlib
import os
import secrets
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict

CHUNK = 1024**2
MAX_FILE_NAME = 240
"""Bytes of a key as a file's name; ext4 and most file systems end at 255."""


class PreconditionError(Exception):
    """A conditional write did not hold."""


class RetainedError(Exception):
    """An object is locked against deletion and overwriting."""


class Entry(BaseModel):
    """An object without its content."""

    model_config = ConfigDict(frozen=True)

    key: str
    etag: str
    """sha256 of the content, in hexadecimal."""
    size: int
    modified: float
    """Unix time."""
    retain_until: float = 0
    """Unix time until which it can be neither deleted nor overwritten."""
    content: str
    """Name of the content's file."""


@dataclass(frozen=True)
class Condition:
    """What must hold for a write: that the object is absent, or that it still has this etag."""

    absent: bool = False
    etag: str | None = None

    def check(self, entry: Entry | None) -> None:
        """Raises PreconditionError when it does not hold for what is there."""
        if self.absent and entry is not None:
            raise PreconditionError(f"{entry.key}: exists with etag {entry.etag}")
        if self.etag is not None and (entry is None or entry.etag != self.etag):
            there = f"has etag {entry.etag}" if entry else "does not exist"
            raise PreconditionError(f"expected etag {self.etag}; the object {there}")


class Bucket:
    """One bucket, kept in a folder. Safe for threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        for name in ("contents", "entries"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        loaded = [Entry.model_validate_json(file.read_text()) for file in (folder / "entries").iterdir()]
        self._entries = {entry.key: entry for entry in loaded}
        self._remove_unnamed()

    def list(self, prefix: str = "") -> list[Entry]:
        """Entries whose key starts with `prefix`, sorted by key."""
        with self._lock:
            return sorted((e for key, e in self._entries.items() if key.startswith(prefix)), key=lambda e: e.key)

    def open(self, key: str) -> tuple[Entry, IO[bytes]]:
        """An object and its content, which the caller closes.

        Raises:
            KeyError: there is none.
        """
        with self._lock:
            entry = self._entries[key]
            return entry, (self._folder / "contents" / entry.content).open("rb")

    def put(
        self, key: str, content: Iterator[bytes], condition: Condition = Condition(), retain_until: float = 0
    ) -> Entry:
        """Write an object.

        Raises:
            PreconditionError: the condition does not hold.
            RetainedError: the object that is there is locked.
            ValueError: the key is too long.
        """
        if len(quote(key, safe="")) > MAX_FILE_NAME:
            raise ValueError(f"key {key!r} is longer than {MAX_FILE_NAME} bytes when quoted")
        name = secrets.token_hex(12)
        file = self._folder / "contents" / name
        digest, size = hashlib.sha256(), 0
        try:
            with file.open("wb") as target:
                for chunk in content:
                    digest.update(chunk)
                    size += target.write(chunk)
            entry = Entry(
                key=key,
                etag=digest.hexdigest(),
                size=size,
                modified=time.time(),
                retain_until=retain_until,
                content=name,
            )
            self._replace(entry, condition)
        except BaseException:
            file.unlink(missing_ok=True)
            raise
        return entry

    def put_file(self, key: str, source: Path) -> Entry:
        """Write a file of the host, of which there is no second copy where the file system can link."""
        name = secrets.token_hex(12)
        target = self._folder / "contents" / name
        try:
            target.hardlink_to(source.resolve())
        except OSError:
            shutil.copyfile(source, target)
        entry = Entry(
            key=key,
            etag=sha256(target),
            size=target.stat().st_size,
            modified=time.time(),
            content=name,
        )
        self._replace(entry, Condition())
        return entry

    def delete(self, key: str, *, force: bool = False) -> None:
        """Delete an object; one that is not there is fine. `force` is for its owner, who ends the bucket.

        Raises:
            RetainedError: it is locked.
        """
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return
            if not force:
                _refuse_retained(entry)
            # What was removed by hand must not keep its owner from being removed.
            self._entry_file(key).unlink(missing_ok=True)
            del self._entries[key]
            (self._folder / "contents" / entry.content).unlink(missing_ok=True)

    def _replace(self, entry: Entry, condition: Condition) -> None:
        with self._lock:
            old = self._entries.get(entry.key)
            condition.check(old)
            if old is not None:
                _refuse_retained(old)
            write_atomically(self._entry_file(entry.key), entry.model_dump_json(), scratch=self._folder / "contents")
            self._entries[entry.key] = entry
            if old is not None:
                (self._folder / "contents" / old.content).unlink()

    def _entry_file(self, key: str) -> Path:
        # A key may be `.` or `..`, which a file's name may not.
        return self._folder / "entries" / f"={quote(key, safe='')}"

    def _remove_unnamed(self) -> None:
        named = {entry.content for entry in self._entries.values()}
        for file in (self._folder / "contents").iterdir():
            if file.name not in named:
                file.unlink()


def _refuse_retained(entry: Entry) -> None:
    if entry.retain_until > time.time():
        until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(entry.retain_until))
        raise RetainedError(f"{entry.key} is locked until {until}")


def sha256(file: Path) -> str:
    """Of a file's content, in hexadecimal."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def write_atomically(file: Path, text: str, scratch: Path) -> None:
    """Replace a file in one step: after a crash it has the old content or the new, and `scratch` may have a rest.

    Readable by its owner only.
    """
    temporary = scratch / f"new-{secrets.token_hex(8)}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as target:
        target.write(text)
        target.flush()
        os.fsync(target.fileno())
    temporary.replace(file)
