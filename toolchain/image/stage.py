"""Steps of the build whose result is kept in a folder named after everything that went into it."""

import contextlib
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from toolchain import cache
from toolchain.progress import step

DIGITS: Final = 16
"""Hexadecimal digits of a fingerprint in a folder's name: 64 bits, for a handful of folders."""

LOCAL_CLOUD: Final = Path(os.environ.get("KUBE_HA_LOCAL_ROOT", "/var/lib/kube-ha/local"))
"""Where the local cloud's supervisor keeps its state."""

PARTIAL: Final = ".partial"
TRASH: Final = ".trash"


def folder() -> Path:
    """Where all steps' results are."""
    return cache.root() / "image"


def cached(name: str, what: str, inputs: Mapping[str, Any], build: Callable[[Path], None]) -> Path:
    """The folder that `build` fills from `inputs`, built only if it is not there.

    An interrupted build leaves nothing that is mistaken for a result: the folder gets its name when it is complete.
    `what` is shown to the user while it is built.
    """
    complete = folder() / f"{name}-{fingerprint(inputs)}"
    if complete.exists():
        return complete
    partial = complete.with_name(f"{name}{PARTIAL}")
    remove([partial])
    partial.mkdir(parents=True)
    try:
        with step(what):
            build(partial)
        partial.rename(complete)
    finally:
        remove([partial])
    return complete


def fingerprint(inputs: Mapping[str, Any]) -> str:
    """Changes when an input changes, whatever their order."""
    return hashlib.sha256(json.dumps(inputs, sort_keys=True, default=str).encode()).hexdigest()[:DIGITS]


def identity(path: Path) -> tuple[str, int, int]:
    """Stands for a file's content without reading it: the cache replaces files, it never changes one in place."""
    found = path.stat()
    return (str(path), found.st_size, found.st_mtime_ns)


def outdated(kept: Iterable[Path], uses: str) -> list[Path]:
    """Results that are neither `kept` nor named in `uses`."""
    wanted = {path.name for path in kept}
    return [
        path
        for path in sorted(folder().iterdir())
        if path.name not in wanted and not re.search(rf"{re.escape(str(path))}\b", uses)
    ]


def uses() -> str:
    """Everything that names what is used: all mounts that any process sees (a machine's overlay names its lower
    directory) and the local cloud's state (machines that are down now come back from the image that it names).
    """
    texts = mount_tables()
    with contextlib.suppress(FileNotFoundError):
        texts.append((LOCAL_CLOUD / "state.json").read_text())
    return "\n".join(texts)


def mount_tables() -> list[str]:
    """The mounts in each mount namespace; all processes of one see the same."""
    tables: dict[Path, str] = {}
    for process in Path("/proc").glob("[0-9]*"):
        # It may end meanwhile.
        with contextlib.suppress(OSError):
            namespace = (process / "ns/mnt").readlink()
            if namespace not in tables:
                tables[namespace] = (process / "mountinfo").read_text()
    return list(tables.values())


def remove(paths: Iterable[Path]) -> None:
    """Remove results; a removal that is interrupted leaves none under its own name."""
    for path in paths:
        if not path.exists():
            continue
        doomed = path.with_name(f"{path.name}{TRASH}")
        shutil.rmtree(doomed, ignore_errors=True)
        path.rename(doomed)
        shutil.rmtree(doomed)
