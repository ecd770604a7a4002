"""`make restore`: a cluster's etcd becomes what a snapshot holds. The machines do it; this orders it and watches."""

import json
import secrets
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from typing import Any, Final

from cli import restore_plan as plan
from cli.engine import Engine
from cli.object_store import Memory, memory
from cli.refused import RefusedError
from cli.snapshots import readable, span, verdict
from cli.up import kubeconfig_path
from components.node.agent.cloud import ConflictError, NotFoundError
from components.node.agent.snapshot_store import BrokenSnapshotError, SnapshotStore
from components.node.etcd import metrics_url
from components.node.record import Keys, Record, RestoreOrder
from components.node.restore import Progress, RestoreKeys, masters
from components.node.snapshots import Metadata, Snapshot
from toolchain.cache import binary
from toolchain.progress import console
from toolchain.versions import ETCD

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


def restore(engine: Engine, wanted: Wanted) -> int:
    """Choose, check, say what is lost, ask, order, watch; the exit status.

    Raises:
        RefusedError: it may not, or was not confirmed; nothing was changed.
        CloudError: the object store does not answer or refuses.
    """
    begun, known = time.monotonic(), memory(engine)
    snapshot, metadata = choose(known, wanted)
    record = record_of(known)
    before, etag = order_of(known)
    if not wanted.supersede:
        plan.refuse_while_another_runs(progress_of(known, before) if before else None, time.time())
    machines = presences(known)
    lost = plan.loss(metadata, newest_revision(machines), time.time())
    announce(engine.stack, known, snapshot, metadata, lost)
    if wanted.dry_run:
        console.print("dry run: nothing was changed")
        return 0
    if not wanted.yes:
        confirm(engine.stack)
        begun = time.monotonic()
    bump = plan.bump(metadata.revision, before)
    order = RestoreOrder(
        generation=(generation := plan.next_generation(record, before)),
        token=f"{known.uid}-{generation}-{secrets.token_hex(8)}",
        members=record.members,
        snapshot=SnapshotStore(known.store, known.uid).keys.database(snapshot.name),
        sha256=metadata.sha256,
        begins_at=metadata.revision + bump,
        bump=bump,
        masters=masters(machines),
        time=time.time(),
    )
    try:
        known.store.put(Keys(known.uid).restore, order.encode(), if_absent=etag is None, if_match=etag)
    except ConflictError:
        raise RefusedError("somebody else ordered a restore at this moment; look again") from None
    console.print(f"ordered: generation {generation}. The machines do it, also without this terminal.", soft_wrap=True)
    return watch(engine, known, order, metadata, begun)


def choose(known: Memory, wanted: Wanted) -> tuple[Snapshot, Metadata]:
    """The snapshot that is meant, after all checks that need no more than the object store."""
    store, now = SnapshotStore(known.store, known.uid), time.time()
    found = store.catalogue()
    snapshot = plan.chosen(found.snapshots, wanted.snapshot, wanted.at, now)
    try:
        metadata = store.metadata(snapshot.name)
    except BrokenSnapshotError as error:
        raise RefusedError(str(error)) from None
    plan.check(snapshot, metadata, size=found.sizes[snapshot.name], uids=(known.uid,), etcd=ETCD, now=now)
    return snapshot, metadata


def announce(stack: str, known: Memory, snapshot: Snapshot, metadata: Metadata, lost: plan.Loss) -> None:
    """Say what would happen."""
    proof = SnapshotStore(known.store, known.uid).proof(snapshot.name)
    proven = verdict(proof, time.time())
    console.print(
        f"stack {stack}: etcd becomes what this snapshot holds; what is there now is kept aside on each member"
    )
    console.print(f"  snapshot  {snapshot.name}, {span(time.time() - metadata.time)} old", soft_wrap=True)
    console.print(f"  holds     revision {metadata.revision}, {metadata.keys} keys, {readable(metadata.bytes)}")
    console.print(f"  proven    {proven}", soft_wrap=True)
    console.print(f"  lost      {lost}", soft_wrap=True)


def confirm(stack: str) -> None:
    """Ask for the stack's name.

    Raises:
        RefusedError: another answer, or nobody to ask.
    """
    if not sys.stdin.isatty():
        raise RefusedError("nothing was changed: there is no terminal to ask on; YES=1 answers")
    if input("Type the stack's name to restore it: ") != stack:
        raise RefusedError(f"that was not {stack}; nothing was changed")


def watch(engine: Engine, known: Memory, order: RestoreOrder, metadata: Metadata, begun: float) -> int:
    """Say what the machines do until the API answers; the exit status."""
    said: set[str] = set()
    news = time.monotonic()
    try:
        while not (progress := progress_of(known, order)).finished:
            for line in [line for line in events(progress) if line not in said]:
                said.add(line)
                news = say(begun, line)
            if progress.is_impossible:
                console.print(f"[red]not restored:[/] {progress.stage()}; nothing was stopped, nothing is lost")
                return 1
            if time.monotonic() - news > WAITING_SECONDS:
                news = say(begun, progress.stage())
            time.sleep(POLL_SECONDS)
        for line in [line for line in events(progress) if line not in said]:
            say(begun, line)
        say(begun, f"generation {order.generation} serves")
        if progress.ended_at is not None:
            say(begun, f"lost {max(progress.ended_at - metadata.revision, 0)} revisions; kept aside on the members")
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
