"""Removing all that a stack has here, even when the supervisor's records and the host disagree."""

import os
import signal
import time
from pathlib import Path

from providers.local import state
from providers.local.client import Client, CloudRefusalError, UnreachableError
from providers.local.keeper import sweep
from providers.local.outputs import network_folder
from providers.local.processes import process
from providers.local.specs import Network
from providers.local.supervisor import leave_nothing

STOP_TIMEOUT = 10.0


def purge(client: Client, stack: str) -> list[str]:
    """Remove a stack's resources and what its networks left on the host; the URNs.

    The supervisor does it in order; what it cannot do, or does not know of, is swept from the host afterwards.
    """
    resources = [r for r in state.load(client.root / "state.json").resources.values() if r.owner.stack == stack]
    names = {resource.spec.name for resource in resources if isinstance(resource.spec, Network)}
    try:
        if resources:
            client.purge(stack)
    except (CloudRefusalError, UnreachableError):
        _stop_supervisor(client.root)
        for name in names:
            sweep(name, network_folder(client.root, name))
        _forget(client.root, stack)
    for name in unowned(client.root):
        sweep(name, network_folder(client.root, name))
    return [resource.owner.urn for resource in resources]


def unowned(root: Path) -> set[str]:
    """Networks that have a folder below this root and are in no record.

    Only folders count: what the kernel has under other names may be another root's.
    """
    owned = {resource.network for resource in state.load(root / "state.json").resources.values()}
    folders = root / "networks"
    return {folder.name for folder in folders.iterdir()} - owned if folders.is_dir() else set()


def _stop_supervisor(root: Path) -> None:
    lock = root / "supervisor.lock"
    text = lock.read_text().strip() if lock.exists() else ""
    if not text.isdigit():
        return
    try:
        supervisor = process(int(text))
    except ProcessLookupError:
        return
    if b"providers.local" not in Path(f"/proc/{supervisor.pid}/cmdline").read_bytes():
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        supervisor.send(number)
        if supervisor.wait(STOP_TIMEOUT):
            return


def _forget(root: Path, stack: str) -> None:
    file = root / "state.json"
    records = state.load(file)
    records.resources = {i: r for i, r in records.resources.items() if r.owner.stack != stack}
    networks = {resource.network for resource in records.resources.values()}
    records.incarnations = {k: v for k, v in records.incarnations.items() if k.split("/")[0] in networks}
    records.cuts = [cut for cut in records.cuts if cut.network in networks]
    state.save(records, file)
    if not records.resources:
        leave_nothing(root, records)


def wait_until_ended(root: Path, seconds: float) -> bool:
    """Wait for a supervisor that has nothing left to end; whether it did."""
    deadline = time.monotonic() + seconds
    while os.path.lexists(root / "supervisor.sock") and time.monotonic() < deadline:
        time.sleep(0.1)
    return not os.path.lexists(root / "supervisor.sock")
