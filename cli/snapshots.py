"""`make snapshot`, `make snapshots`, `make prove`: etcd's snapshots, asked for and looked at."""

import secrets
import sys
import time
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from cli.object_store import Memory
from cli.refused import RefusedError
from components.node.agent.cloud import ConflictError, NotFoundError
from components.node.agent.snapshot_store import BrokenSnapshotError, SnapshotStore
from components.node.snapshots import Proof, Request, RequestKind, Response, Snapshot, SnapshotKeys
from toolchain.progress import console

POLL_SECONDS = 0.5
PATIENCE_SECONDS = {RequestKind.SNAPSHOT: 120.0, RequestKind.DRILL: 600.0}
"""A machine looks for requests every ten seconds; the rest is the size of the database."""

UNITS = (("d", 86400), ("h", 3600), ("min", 60))


def take(memory: Memory) -> int:
    """Have a snapshot taken now and print its name; the exit status."""
    console.print("asking for a snapshot …")
    print(asked(memory, RequestKind.SNAPSHOT))
    return 0


def prove(memory: Memory, name: str | None) -> int:
    """Have a snapshot restored and compared with the live cluster now; the exit status is 1 where it is not good."""
    known = SnapshotStore(memory.store, memory.uid)
    if name is not None:
        existing(known, name)
    console.print(f"asking for a restore drill of {name or 'the newest snapshot'} …")
    drilled = asked(memory, RequestKind.DRILL, name)
    proof = known.proof(drilled)
    if proof is None:
        raise RefusedError(f"{drilled}: the drill left no result")
    print(f"{drilled}: {'proven' if proof.proven else 'NOT GOOD'} in {proof.seconds:.0f} s: {proof.message}")
    return 0 if proof.proven else 1


def show(memory: Memory) -> int:
    """Print the table of snapshots, oldest first; the exit status."""
    known = SnapshotStore(memory.store, memory.uid)
    found = known.catalogue()
    if not found.snapshots:
        console.print("there is no snapshot yet: make snapshot takes one")
        return 0
    table = Table(box=None, pad_edge=False)
    for column in ("name", "age", "size", "revision", "reason", "locked", "proven"):
        table.add_column(column, justify="right" if column in {"age", "size", "revision"} else "left")
    now = time.time()
    for one in found.snapshots:
        proof = known.proof(one.name) if one.name in found.proofs else None
        table.add_row(*row(known, one, found.sizes[one.name], proof, now))
    Console(width=None if sys.stdout.isatty() else 240, highlight=False, markup=False).print(table)
    return 0


def row(known: SnapshotStore, one: Snapshot, size: int, proof: Proof | None, now: float) -> tuple[str, ...]:
    """A snapshot as a line of the table."""
    try:
        metadata = known.metadata(one.name)
        reason, lock = metadata.reason.value, metadata.retain_until
    except BrokenSnapshotError as error:
        reason, lock = f"broken: {error}", 0
    locked = f"{span(lock - now)} more" if lock > now else "no"
    return one.name, span(now - one.time), readable(size), str(one.revision), reason, locked, verdict(proof, now)


def verdict(proof: Proof | None, now: float) -> str:
    """What the last drill of a snapshot found."""
    if proof is None:
        return "not yet"
    if proof.proven:
        return f"yes, {span(now - proof.time)} ago"
    return f"NOT GOOD: {proof.message}"


def span(seconds: float) -> str:
    """A time span for people: 3 d, 2 h, 5 min, 12 s."""
    for unit, size in UNITS:
        if seconds >= 2 * size:
            return f"{seconds // size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def readable(size: float) -> str:
    """Bytes for people."""
    return f"{size / 1024**2:.1f} MiB" if size >= 1024**2 else f"{size / 1024:.0f} KiB"


def existing(known: SnapshotStore, name: str) -> Snapshot:
    """The snapshot of this name.

    Raises:
        RefusedError: there is none; names the nearest that there are.
    """
    found = known.catalogue().snapshots
    for one in found:
        if one.name == name:
            return one
    newest = ", ".join(one.name for one in found[-3:]) or "none"
    raise RefusedError(f"{name}: there is no such snapshot; the newest are {newest}")


def asked(
    memory: Memory, kind: RequestKind, snapshot: str | None = None, sleep: Callable[[float], None] = time.sleep
) -> str:
    """Ask the machines for something and wait for the answer; the snapshot's name. Whoever asked before is joined.

    Raises:
        RefusedError: the machine that took it up could not, or none took it up in time.
    """
    keys = SnapshotKeys(memory.uid)
    request = ask(memory, keys.request(kind), Request(id=secrets.token_hex(8), snapshot=snapshot))
    if request.snapshot != snapshot:
        raise RefusedError(f"a drill of {request.snapshot or 'the newest snapshot'} is asked for already; try again")
    waited = 0.0
    while waited < PATIENCE_SECONDS[kind]:
        if (response := answer(memory, keys.response(kind))) is not None and response.id == request.id:
            if response.error is not None or response.snapshot is None:
                raise RefusedError(f"{kind.value}: {response.error}")
            return response.snapshot
        sleep(POLL_SECONDS)
        waited += POLL_SECONDS
    raise RefusedError(
        f"{kind.value}: no machine answered in {PATIENCE_SECONDS[kind]:.0f} s; the request stays and is served when"
        " one is healthy: make machines shows how they are"
    )


def ask(memory: Memory, key: str, request: Request) -> Request:
    """Write the request, or find the one that is there."""
    while True:
        try:
            memory.store.put(key, request.encode(), if_absent=True)
            return request
        except ConflictError:
            try:
                return Request.model_validate_json(memory.store.get(key)[0])
            except NotFoundError:
                continue


def answer(memory: Memory, key: str) -> Response | None:
    """What a machine answered last."""
    try:
        return Response.model_validate_json(memory.store.get(key)[0])
    except NotFoundError:
        return None
