"""`make restore`: a cluster's etcd becomes what a snapshot holds. The machines do it; this orders it and watches."""

import json
import secrets
import subprocess
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cli import restore_plan as plan
from cli.confirmation import confirm
from cli.engine import Engine
from cli.object_store import Memory, memory
from cli.refused import RefusedError
from cli.restore_source import Source, brought, stored
from cli.up import kubeconfig_path
from components.node.agent.cloud import ConflictError, NotFoundError
from components.node.etcd import metrics_url
from components.node.record import Keys, Record, RestoreOrder
from components.node.restore import Progress, RestoreKeys, masters
from toolchain.cache import binary
from toolchain.progress import complain, console

POLL_SECONDS: Final = 0.5
WAITING_SECONDS: Final = 20.0
"""After so long without news the terminal says what is being waited for."""
READY_SECONDS: Final = 180.0


@dataclass(frozen=True)
class Wanted:
    """What the command line asked for."""

    snapshot: str | None = None
    at: str | None = None
    dry_run: bool = False
    yes: bool = False
    supersede: bool = False
    source: Path | None = None
    """A file, instead of a snapshot of the stack's own."""


def restore(engine: Engine, wanted: Wanted) -> int:
    """Choose, check, say what is lost, ask, order, watch; the exit status.

    Raises:
        RefusedError: it may not, or was not confirmed; nothing was changed.
        CloudError: the object store does not answer or refuses.
    """
    begun, known = time.monotonic(), memory(engine)
    source = chosen(known, wanted)
    record = record_of(known)
    before, etag = order_of(known)
    if not wanted.supersede:
        plan.refuse_while_another_runs(progress_of(known, before) if before else None, time.time())
    machines = presences(known)
    console.print(
        f"stack {engine.stack}: etcd becomes what this holds; what is there now is kept aside on each member",
        soft_wrap=True,
    )
    for line in (*source.told, f"lost      {source.lost(newest_revision(machines), before)}"):
        console.print(f"  {line}", soft_wrap=True)
    if wanted.dry_run:
        console.print("dry run: nothing was changed")
        return 0
    if not wanted.yes:
        confirm(engine.stack, "restore it")
        begun = time.monotonic()
    source.bring(known)
    bump = plan.bump(source.revision, before)
    order = RestoreOrder(
        generation=(generation := plan.next_generation(record, before)),
        token=f"{known.uid}-{generation}-{secrets.token_hex(8)}",
        members=record.members,
        snapshot=source.key,
        sha256=source.sha256,
        begins_at=source.revision + bump,
        bump=bump,
        masters=masters(machines),
        time=time.time(),
    )
    try:
        known.store.put(Keys(known.uid).restore, order.encode(), if_absent=etag is None, if_match=etag)
    except ConflictError:
        raise RefusedError("somebody else ordered a restore at this moment; look again") from None
    console.print(f"ordered: generation {generation}. The machines do it, also without this terminal.", soft_wrap=True)
    return watch(engine, known, order, source, before, begun=begun)


def chosen(known: Memory, wanted: Wanted) -> Source:
    """What the command line means. Raises `RefusedError` where that may not be restored."""
    if wanted.source is None:
        return stored(known, wanted.snapshot, wanted.at)
    if wanted.snapshot is not None or wanted.at is not None:
        raise RefusedError("FROM brings a file; SNAPSHOT and AT choose a snapshot of the stack's own: give one of them")
    return brought(known, wanted.source)


def watch(
    engine: Engine, known: Memory, order: RestoreOrder, source: Source, before: RestoreOrder | None, *, begun: float
) -> int:
    """Say what the machines do until the API answers; the exit status."""
    said: set[str] = set()
    news = time.monotonic()
    try:
        while not (progress := progress_of(known, order)).finished:
            for line in [line for line in events(progress) if line not in said]:
                said.add(line)
                news = say(begun, line)
            if progress.is_impossible:
                complain(f"{progress.stage()}; nothing was stopped, nothing is lost", "not restored:")
                return 1
            if time.monotonic() - news > WAITING_SECONDS:
                news = say(begun, progress.stage())
            time.sleep(POLL_SECONDS)
        for line in [line for line in events(progress) if line not in said]:
            say(begun, line)
        say(begun, f"generation {order.generation} serves")
        if progress.ended_at is not None:
            say(begun, f"lost {source.lost_in_the_end(progress.ended_at, before)}; kept aside on the members")
        return await_ready(engine, begun)
    except KeyboardInterrupt:
        console.print("\nthe restore goes on by itself: make machines shows how the machines are")
        return 130


def events(progress: Progress) -> list[str]:
    """What happened so far, a line each, in the order of the steps."""
    return [
        *(f"{name}: has the snapshot" for name in sorted(progress.prepared)),
        *(f"{name}: cannot restore it: {why}" for name, why in progress.failed.items()),
        *(f"{name}: control plane stopped" for name in sorted(progress.stopped)),
        *(
            f"{name}: left the old history" + (f" at revision {revision}" if revision else "")
            for name, revision in progress.left.items()
        ),
    ]


def say(begun: float, line: str) -> float:
    """A line with the seconds since the command; when it was said."""
    console.print(f"  {time.monotonic() - begun:5.1f} s  {line}", soft_wrap=True, highlight=False)
    return time.monotonic()


def await_ready(engine: Engine, begun: float) -> int:
    """Wait until the API says that it is ready."""
    path, end = kubeconfig_path(engine.stack), time.monotonic() + READY_SECONDS
    command = [str(binary("kubectl")), "--kubeconfig", str(path), "--request-timeout=3s", "get", "--raw", "/readyz"]
    while subprocess.run(command, capture_output=True, check=False).returncode != 0:
        if time.monotonic() > end:
            console.print(
                f"[red]etcd is restored, but no API server is ready after {READY_SECONDS:.0f} s:[/] make machines"
            )
            return 1
        time.sleep(POLL_SECONDS)
    say(begun, "the API is ready")
    return 0


def record_of(known: Memory) -> Record:
    """The cluster's record.

    Raises:
        RefusedError: the cluster never formed.
    """
    try:
        return Record.model_validate_json(known.store.get(Keys(known.uid).record)[0])
    except NotFoundError:
        raise RefusedError(f"cluster {known.uid} has no record: no member of it ever started; make machines") from None


def order_of(known: Memory) -> tuple[RestoreOrder | None, str | None]:
    """The last order there was, with its etag."""
    try:
        content, etag = known.store.get(Keys(known.uid).restore)
    except NotFoundError:
        return None, None
    return RestoreOrder.model_validate_json(content), etag


def progress_of(known: Memory, order: RestoreOrder) -> Progress:
    """How far an order is."""
    prefix = RestoreKeys(known.uid, order.generation).prefix
    objects = {entry.key: known.store.get(entry.key)[0] for entry in known.store.list(prefix)}
    return Progress.read(order, known.uid, objects)


def presences(known: Memory) -> list[dict[str, Any]]:
    """What machines said about themselves."""
    prefix = Keys(known.uid).presence("").removesuffix(".json")
    return [json.loads(known.store.get(entry.key)[0]) for entry in known.store.list(prefix)]


def newest_revision(machines: list[dict[str, Any]]) -> int | None:
    """The highest revision that a member says it has; None where none can be asked from here."""
    found = [revision for machine in machines if (revision := revision_at(machine["address"])) is not None]
    return max(found, default=None)


def revision_at(address: str) -> int | None:
    """From the metrics of the member at `address`, if there is one and it answers."""
    try:
        with urllib.request.urlopen(metrics_url(address, "/metrics"), timeout=2) as answer:  # noqa: S310
            lines = answer.read().decode().splitlines()
    except OSError:
        return None
    gauge = "etcd_debugging_mvcc_current_revision "
    return next((int(float(line.removeprefix(gauge))) for line in lines if line.startswith(gauge)), None)
