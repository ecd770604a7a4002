"""The supervisor: the long-lived process that is the local cloud. It ends by itself when nothing is left."""

import contextlib
import fcntl
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from providers.local.cloud import Cloud
from providers.local.control import Control
from providers.local.state import State

LINGER = 3.0
"""Seconds without any resource after which it ends."""
TICK = 0.5
LOCK_TIMEOUT = 10.0
"""Seconds to wait for another supervisor that is ending."""
INOTIFY_INSTANCES = 1024
"""systemd, containerd and the kubelet of each machine take several; the kernel's usual 128 is for one cluster."""
INOTIFY_FILE = Path("/proc/sys/fs/inotify/max_user_instances")


class AlreadyRunningError(Exception):
    """Another supervisor serves this root."""


def main(root: Path) -> None:
    """Be the supervisor of `root` until nothing is left, or until SIGTERM, which leaves all machines running.

    Raises:
        AlreadyRunningError: there is one already.
    """
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    with _only_one(root):
        print(f"{time.strftime('%F %T')} supervisor, pid {os.getpid()}", flush=True)
        cloud = Cloud(root)
        _raise_inotify_limit(cloud)
        cloud.adopt()
        server = Control(cloud).server(root / "supervisor.sock")
        threading.Thread(target=server.serve_forever, name="control API", daemon=True).start()
        _serve_until_idle(cloud, stopping)
        server.shutdown()
        server.server_close()
        (root / "supervisor.sock").unlink(missing_ok=True)
        if not cloud.state.resources:
            leave_nothing(root, cloud.state)


def _serve_until_idle(cloud: Cloud, stopping: threading.Event) -> None:
    idle_since = time.monotonic()
    while not stopping.wait(TICK):
        if cloud.state.resources:
            idle_since = time.monotonic()
        elif time.monotonic() - idle_since > LINGER:
            return
        # Each time: the supervisor of another root puts the limit back when it ends.
        _raise_inotify_limit(cloud)
        if any(resource.is_orphan for resource in list(cloud.state.resources.values())):
            for urn in cloud.remove_all(lambda resource: resource.is_orphan):
                print(f"removed {urn}: whoever was creating it is gone", flush=True)


def _raise_inotify_limit(cloud: Cloud) -> None:
    limit = int(INOTIFY_FILE.read_text())
    if limit < INOTIFY_INSTANCES:
        with cloud.lock:
            cloud.state.inotify_instances = cloud.state.inotify_instances or limit
            cloud.save()
        INOTIFY_FILE.write_text(str(INOTIFY_INSTANCES))


def leave_nothing(root: Path, records: State) -> None:
    """Put the host's own settings back and remove the supervisor's files, once no resource is left."""
    if records.inotify_instances is not None:
        INOTIFY_FILE.write_text(str(records.inotify_instances))
    for file in ("state.json", "supervisor.log", "wrapping.key"):
        (root / file).unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        (root / "networks").rmdir()


@contextlib.contextmanager
def _only_one(root: Path) -> Iterator[None]:
    file = root / "supervisor.lock"
    deadline = time.monotonic() + LOCK_TIMEOUT
    while True:
        lock = file.open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            if time.monotonic() > deadline:
                raise AlreadyRunningError(f"another supervisor holds {file}") from None
            time.sleep(0.1)
            continue
        # The one before may have removed the file that is locked here: then this lock holds nobody off.
        if file.exists() and os.fstat(lock.fileno()).st_ino == file.stat().st_ino:
            break
        lock.close()
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    try:
        yield
    finally:
        file.unlink()
        lock.close()
        with contextlib.suppress(OSError):
            root.rmdir()
        sys.stdout.flush()
