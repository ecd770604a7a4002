"""The step `restore-drill`: a backup that was never restored is not a backup.

One master at a time downloads a snapshot, restores it beside the cluster, reads it through an API server of its own,
and compares what it reads with what is live. The result is kept with the snapshot, as a metric and in the status.
"""

import json
import time
from pathlib import Path
from typing import Any, Final

from components.node import kubeadm
from components.node.agent import requests, static_pods
from components.node.agent.background import Background
from components.node.agent.comparison import LIMIT, PATHS, Comparison, compare, objects
from components.node.agent.files import sha256_of
from components.node.agent.kubectl import Kubectl, KubectlError, local
from components.node.agent.master_keys import PKI
from components.node.agent.snapshot_file import DamagedError, inspect
from components.node.agent.snapshot_store import BrokenSnapshotError
from components.node.agent.step import Context, NotYetError, Step
from components.node.agent.take_snapshot import scratch, store
from components.node.agent.throwaway import Kit, ThrowawayError, opened
from components.node.certificates import authority
from components.node.lock import ClusterLock, LockedError
from components.node.machine import Machine, Role
from components.node.snapshots import Catalogue, Metadata, Proof, RequestKind, drill_due

ROUND_SECONDS: Final = 10.0
LOOK_SECONDS: Final = 600.0
"""How often a master looks whether a drill is due."""

DRILL_SECONDS: Final = 86400.0
FIRST_SECONDS: Final = 3600.0
"""From a cluster's first snapshot to its first drill, and from a drill that found something to the next one."""

LOCK_SECONDS: Final = 3600.0
"""Longer than a drill: nothing is lost when two masters do it."""

PURPOSE: Final = "restore drill"

DATA_FACTOR: Final = 3
"""Disk space by size of the snapshot: the file, the restored data, the log of etcd that begins on it."""

BAD: Final = (DamagedError, BrokenSnapshotError, ThrowawayError, KubectlError, ValueError, KeyError)
"""What says something about the snapshot; anything else is about this machine or its cloud."""


class RestoreDrill(Step):
    """Daily, and when somebody asks."""

    name = "restore-drill"

    def __init__(self) -> None:
        self._background: Background | None = None
        self._lock: ClusterLock | None = None
        self._looked = float("-inf")

    def applies(self, machine: Machine) -> bool:
        return machine.role is Role.MASTER

    def run(self, context: Context) -> None:
        if self._background is None:
            self._background = Background(context, self.name, lambda: self.round(context), ROUND_SECONDS)
            self._background.start()

    def round(self, context: Context) -> None:
        """Look once, and act."""
        self._lock = self._lock or ClusterLock(context.cloud, store(context).keys.drill_lock, context.machine.name)
        try:
            self._serve_request(context, self._lock)
            if time.monotonic() - self._looked >= LOOK_SECONDS:
                self._looked = time.monotonic()
                self._keep_schedule(context, self._lock)
        except LockedError as error:
            context.log.changed(self.name, str(error))

    def _serve_request(self, context: Context, lock: ClusterLock) -> None:
        if requests.pending(context, RequestKind.DRILL) is None:
            return
        with lock.hold(PURPOSE, LOCK_SECONDS):
            # Another master may have served it while this one waited.
            if request := requests.pending(context, RequestKind.DRILL):
                requests.serve(context, RequestKind.DRILL, request, lambda: drill(context, request.snapshot))

    def _keep_schedule(self, context: Context, lock: ClusterLock) -> None:
        found = store(context).catalogue()
        proof = last_proof(context, found)
        if proof is not None:
            publish(context, proof)
        every = DRILL_SECONDS if proof is None or proof.proven else FIRST_SECONDS
        known = [proof.time] if proof else []
        if drill_due(known, found.snapshots, every, FIRST_SECONDS, time.time()):
            with lock.hold(PURPOSE, LOCK_SECONDS):
                if last_proof(context, store(context).catalogue()) == proof:
                    drill(context, None)


def drill(context: Context, name: str | None) -> str:
    """Restore and compare the snapshot called `name`, or the newest; leaves its proof. Its name.

    Raises:
        NotYetError: there is no snapshot, or no live API server to compare with.
        SpaceError, CloudError: this machine cannot; none of these says anything about the snapshot.
    """
    begun, known = time.monotonic(), store(context)
    if name is None:
        newest = known.catalogue().newest
        if newest is None:
            raise NotYetError("there is no snapshot yet")
        name = newest.name
    try:
        comparison = examine(context, name, known.metadata(name))
        proven, message = comparison.good, comparison.message
    except BAD as error:
        proven, message = False, " ".join(str(error).split()) or type(error).__name__
    proof = Proof(
        time=time.time(), machine=context.machine.name, proven=proven, message=message, seconds=time.monotonic() - begun
    )
    context.cloud.put(known.keys.proof(name), proof.encode())
    context.log("restore-drill", f"{name}: {'proven' if proven else 'NOT GOOD'} in {proof.seconds:.0f} s: {message}")
    # That an old one is bad, as somebody may have asked, says nothing about what would be restored today.
    if (newest_proof := last_proof(context, known.catalogue())) is not None:
        publish(context, newest_proof)
    return name


def examine(context: Context, name: str, metadata: Metadata) -> Comparison:
    """Everything that can be found out about a snapshot."""
    with scratch(context, metadata.bytes * DATA_FACTOR) as folder:
        path = folder / "snapshot.db"
        context.cloud.download(store(context).keys.database(name), str(path))
        if (digest := sha256_of(path)) != metadata.sha256:
            raise DamagedError(f"sha256 is {digest}, its metadata says {metadata.sha256}")
        contents = inspect(context.paths.binaries / "etcdutl", path)
        with opened(kit(context), path, folder) as restored:
            # The snapshot first: what changes meanwhile is later in the live ones.
            old = read(restored)
        try:
            live = read(local(context))
        except KubectlError as error:
            raise NotYetError(f"the live API server, to compare with: {error}") from None
        return compare(old, live, contents.revision)


def read(kubectl: Kubectl) -> list[Any]:
    """The objects that are compared."""
    return [one for path in PATHS for one in objects(json.loads(kubectl("get", f"--raw={path}?limit={LIMIT}")))]


def kit(context: Context) -> Kit:
    """This master's own keys and binaries.

    Raises:
        NotYetError: its API server does not run.
    """
    root, binaries = context.paths.root, context.paths.binaries
    live = static_pods.processes(static_pods.API_SERVER)
    if not live:
        raise NotYetError("the API server of this master does not run: there is nothing to compare with")
    return Kit(
        etcd=binaries / "etcd",
        etcdutl=binaries / "etcdutl",
        # The very binary that serves, out of its container; its path keeps it from being taken for the live one.
        api_server=Path(f"/proc/{live[0]}/exe"),
        kubectl=binaries / "kubectl",
        kubernetes_ca=authority(context.cloud.secret("kubernetes-ca"), "kubernetes-ca"),
        etcd_ca=authority(context.cloud.secret("etcd-client-ca"), "etcd-client-ca"),
        service_account_public=root / PKI / "sa.pub",
        service_account_key=root / PKI / "sa.key",
        encryption=root / kubeadm.ENCRYPTION_FILE.lstrip("/"),
    )


def last_proof(context: Context, found: Catalogue) -> Proof | None:
    """Of the newest snapshot that has one."""
    drilled = [one.name for one in found.snapshots if one.name in found.proofs]
    return store(context).proof(drilled[-1]) if drilled else None


def publish(context: Context, proof: Proof) -> None:
    """As metrics, and where it is bad in the status."""
    context.metrics.set("restore_drill_proven", proof.proven)
    context.metrics.set("restore_drill_timestamp_seconds", proof.time)
    context.metrics.set("restore_drill_seconds", proof.seconds)
    if proof.proven:
        context.concerns.pop("proof", None)
    else:
        context.concerns["proof"] = f"the newest snapshot that was drilled is not good: {proof.message}"
