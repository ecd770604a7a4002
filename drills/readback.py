"""Reading back from every etcd member what was acknowledged."""

import json
import time
from collections.abc import Iterable
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
    hashes = _hashes(members, injector)
    held = {member.name: _entries(member, injector) for member in members}
    return journal.compare(entries, held, hashes)


def _listed(master: Machine, cluster: Cluster) -> frozenset[str]:
    api = Api(cluster.access, host=master.address, port=API_PORT)
    items = api.call("GET", f"{CONFIGMAPS}?labelSelector=kube-ha.dev/drill%3Djournal")["items"]
    return frozenset(str(item["metadata"]["name"]) for item in items)


def _entries(member: Machine, injector: Injector) -> frozenset[str]:
    """Entries that this member itself has, whatever the others have."""
    listed = _etcdctl(member, injector, "get", PREFIX, "--prefix", "--keys-only", "--consistency=s")
    return frozenset(line.rsplit("/", 1)[1] for line in listed.splitlines() if line)


def _hashes(members: list[Machine], injector: Injector) -> dict[str, int]:
    """HashKV of each member at a revision that all have; comparable only once all compacted equally far."""
    until = time.monotonic() + CATCH_UP_SECONDS
    revision = max(_status(member, injector)["header"]["revision"] for member in members)
    while True:
        try:
            answers = {member.name: _hash(member, injector, revision) for member in members}
        except InjectionError:
            # A member that has not caught up with the revision refuses; it is given the time to.
            if time.monotonic() > until:
                raise
            time.sleep(0.5)
            continue
        if len({answer.get("compact_revision") for answer in answers.values()}) == 1 or time.monotonic() > until:
            return {name: answer["hash"] for name, answer in answers.items()}
        time.sleep(0.5)


def _status(member: Machine, injector: Injector) -> dict[str, Any]:
    status: dict[str, Any] = json.loads(_etcdctl(member, injector, "endpoint", "status", "-w", "json"))[0]["Status"]
    return status


def _hash(member: Machine, injector: Injector, revision: int) -> dict[str, Any]:
    said = _etcdctl(member, injector, "endpoint", "hashkv", f"--rev={revision}", "-w", "json")
    answer: dict[str, Any] = json.loads(said)[0]["HashKV"]
    return answer


def _etcdctl(member: Machine, injector: Injector, *words: str) -> str:
    return injector.run(member.name, *ETCDCTL, f"--endpoints=https://{member.address}:2379", *words)
