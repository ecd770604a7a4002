"""The cache on disk: complete folders, their receipts, links, and the lock that one installing run holds."""

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from toolchain import cache
from toolchain.tool import Tool

RECEIPT = "receipt.json"


@dataclass(frozen=True)
class Receipt:
    """Where a tool in the cache came from."""

    source: str
    seconds: float
    """How long it took."""


def folder(tool: Tool) -> Path:
    """Where a tool of the cache is, or would be."""
    revision = f"-r{tool.revision}" if tool.revision > 1 else ""
    return cache.root() / "tools" / f"{tool.name}-{tool.version}{revision}"


def receipt(tool: Tool) -> Receipt | None:
    """Where the cached tool came from; None: it is not in the cache."""
    try:
        return Receipt(**json.loads((folder(tool) / RECEIPT).read_text()))
    except FileNotFoundError:
        return None


@contextmanager
def partial(tool: Tool) -> Iterator[Path]:
    """An empty folder to make a tool in; gone afterwards unless it was published."""
    path = folder(tool).with_name(f".{tool.name}-{tool.version}.partial")
    # What an interrupted run left; the lock is ours, so nobody is at work in it.
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def publish(tool: Tool, made: Path, what: Receipt) -> None:
    """Put a complete folder in its place at once; its receipt is written before the rename."""
    (made / RECEIPT).write_text(json.dumps(asdict(what)))
    shutil.rmtree(folder(tool), ignore_errors=True)
    made.rename(folder(tool))


def link(tool: Tool, binaries: Mapping[str, Path]) -> None:
    """Point the cache's links at a tool's binaries, each replaced in one step."""
    links = cache.root() / tool.links
    links.mkdir(parents=True, exist_ok=True)
    for name, target in binaries.items():
        replace_link(links / name, target)


def replace_link(path: Path, target: Path) -> None:
    """Make `path` a link to `target` in one step, unless it is that already."""
    if path.is_symlink() and path.readlink() == target:
        return
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(path)


@contextmanager
def lock(waiting: Callable[[str], None]) -> Iterator[None]:
    """Hold the cache for this process; `waiting` is told who holds it if that is somebody else.

    The kernel releases it when the process ends, however it ends.
    """
    cache.root().mkdir(parents=True, exist_ok=True)
    with (cache.root() / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            waiting(file.read().strip() or "another run")
            fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        file.truncate()
        file.write(f"process {os.getpid()}")
        file.flush()
        yield
