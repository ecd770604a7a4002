"""Network namespaces: making, removing, and opening a socket inside one."""

import ctypes
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from providers.local.commands import run

FOLDER = Path("/run/netns")
CLONE_NEWNET = 0x40000000

T = TypeVar("T")


def names(prefix: str) -> list[str]:
    """Names of all namespaces that start with `prefix`."""
    return sorted(path.name for path in FOLDER.glob(f"{prefix}*")) if FOLDER.is_dir() else []


def path(name: str) -> Path:
    """The file that holds a namespace."""
    return FOLDER / name


def add(name: str) -> None:
    """Make a namespace whose loopback is up."""
    run("ip", "netns", "add", name)
    run("ip", "-n", name, "link", "set", "lo", "up")


def remove(name: str) -> None:
    """Remove a namespace, if it is there, and with it every interface inside."""
    if path(name).exists():
        run("ip", "netns", "delete", name)


def inside(name: str, call: Callable[[], T]) -> T:
    """What `call` answers when it runs in a namespace; sockets that it opens stay there."""
    answer: list[T] = []
    failure: list[BaseException] = []

    def enter() -> None:
        try:
            libc = ctypes.CDLL(None, use_errno=True)
            with path(name).open() as namespace:
                if libc.setns(namespace.fileno(), CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), name)
            answer.append(call())
        except BaseException as error:
            failure.append(error)

    # A thread of its own, which ends: the namespace belongs to a thread, and nothing else may run in this one later.
    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return answer[0]
