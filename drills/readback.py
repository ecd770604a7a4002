"""Reading back from every etcd member what was acknowledged."""

import json
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final

from components.node.agent.step import Paths
from components.node.etcd import Files
from drills import journal, probe
from drills.api import Api
from drills.cluster import API_PORT, Cluster
from drills.fault import Machine
from drills.injector import InjectionError, Injector
from drills.journal import Durability
from drills.record import Record
from drills.registers import CONFIGMAPS

PREFIX: Final = f"/registry/configmaps/{probe.NAMESPACE}/entry-"
FILES: Final = Files(Paths().etcd_configuration)
ETCDCTL: Final = (
    "etcdctl",
    f"--cacert={FILES.authority('client')}",
    f"--cert={FILES.certificate('client')}",
    f"--key={FILES.key('client')}",
)
CATCH_UP_SECONDS: Final = 20.0


def read_back(records: Iterable[Record], cluster: Cluster, injector: Injector) -> Durability:
    """What each member holds of the journal's acknowledged entries, and whether all members hold the same.

    Where no member can be asked itself, what the cluster holds by the word of each API server.

    Raises:
        InjectionError, ApiError: a member, or an API server, cannot be asked.
    """
    entries = journal.acknowledged(records)
    if not injector.inside:
        return journal.compare(entries, {one.name: _listed(one, cluster) for one in cluster.of("master")}, {})
    members = [machine for machine in cluster.machines if machine.member]
    with ThreadPoolExecutor(max_workers=len(members)) as pool:
        hashes = _hashes(members, injector, pool)
        listed = pool.map(partial(_entries, injector), members)
        held = {member.name: names for member, names in zip(members, listed, strict=True)}
    return journal.compare(entries, held, hashes)


def _listed(master: Machine, cluster: Cluster) -> frozenset[str]:
    api = Api(cluster.access, host=master.address, port=API_PORT)
    items = api.call("GET", f"{CONFIGMAPS}?labelSelector={probe.LABEL}")["items"]
    return frozenset(str(item["metadata"]["name"]) for item in items)


def _entries(injector: Injector, member: Machine) -> frozenset[str]:
    """Entries that this member itself has, whatever the others have."""
    listed = _etcdctl(member, injector, "get", PREFIX, "--prefix", "--keys-only", "--consistency=s")
    return frozenset(line.rsplit("/", 1)[1] for line in listed.splitlines() if line)


def _hashes(members: list[Machine], injector: Injector, pool: ThreadPoolExecutor) -> dict[str, int]:
    """HashKV of each member at a revision that all have; comparable only once all compacted equally far."""
    until = time.monotonic() + CATCH_UP_SECONDS
    revision = max(status["header"]["revision"] for status in pool.map(partial(_status, injector), members))
    while True:
        try:
            found = list(pool.map(partial(_hash, injector, revision), members))
        except InjectionError:
            # A member that has not caught up with the revision refuses; it is given the time to.
            if time.monotonic() > until:
                raise
            time.sleep(0.5)
            continue
        if len({answer.get("compact_revision") for answer in found}) == 1 or time.monotonic() > until:
            return {member.name: answer["hash"] for member, answer in zip(members, found, strict=True)}
        time.sleep(0.5)


def _status(injector: Injector, member: Machine) -> dict[str, Any]:
    status: dict[str, Any] = json.loads(_etcdctl(member, injector, "endpoint", "status", "-w", "json"))[0]["Status"]
    return status


def _hash(injector: Injector, revision: int, member: Machine) -> dict[str, Any]:
    said = _etcdctl(member, injector, "endpoint", "hashkv", f"--rev={revision}", "-w", "json")
    answer: dict[str, Any] = json.loads(said)[0]["HashKV"]
    return answer


def _etcdctl(member: Machine, injector: Injector, *words: str) -> str:
    return injector.run(member.name, *ETCDCTL, f"--endpoints=https://{member.address}:2379", *words)
