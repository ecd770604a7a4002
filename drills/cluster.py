"""The cluster as a drill sees it from outside: who leads, and what is missing."""

import gzip
import http.client
import socket
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from components.node.agent.status import PORT as AGENT_PORT
from components.node.keepalived import STANDS_BY
from drills import kubeconfig
from drills.api import Api, ApiError
from drills.fault import Machine, View
from drills.injector import InjectionError, Injector
from drills.server_latency import Counts, counts

API_PORT: Final = 6443
SYSTEM_PODS: Final = "/api/v1/namespaces/kube-system/pods"
TIER: Final = "control-plane"
"""Label `tier` of kubeadm's static pods."""
ETCD_METRICS_PORT: Final = 2381
WORN_RESTARTS: Final = 3
"""After so many restarts of a container within ten minutes kubelet waits for 40 s and longer before the next."""
PATIENCE: Final = 1.0
"""Seconds for one answer when asked whether all is well: a machine that takes longer is not."""


class UnhealthyError(Exception):
    """The cluster is not one that a fault may be tried on; the message lists why."""


class UnreadyError(UnhealthyError):
    """The cluster cannot be drilled as it is; nothing was done to it."""


@dataclass(frozen=True)
class Member:
    """What an etcd member says of itself."""

    leads: bool
    knows_leader: bool
    votes: bool


def member(metrics: str) -> Member:
    """What a member's metrics page says."""
    values = dict(line.rsplit(" ", 1) for line in metrics.splitlines() if line.startswith("etcd_server_"))
    return Member(
        leads=float(values.get("etcd_server_is_leader", 0)) == 1,
        knows_leader=float(values.get("etcd_server_has_leader", 0)) == 1,
        votes=float(values.get("etcd_server_is_learner", 0)) == 0,
    )


def stands_by(metrics: str) -> bool:
    """Whether a balancer could take the address, by its agent's metrics page."""
    return f"kube_ha_{STANDS_BY} 1" in metrics.splitlines()


def missing(
    members: Mapping[str, Member | None],
    masters: Mapping[str, str | None],
    nodes: Sequence[Mapping[str, Any]],
    pods: Sequence[Mapping[str, Any]],
    balancers: Mapping[str, bool],
) -> list[str]:
    """What keeps the cluster from being whole, in words; nothing when it is.

    `members` and `masters` are all that there should be: with what the member says of itself (None: nothing), and with
    what is wrong with the master's /readyz (None: nothing); `balancers` all, with whether they serve and stand by.
    """
    problems = [f"etcd member {name} does not answer" for name, says in members.items() if says is None]
    for name, says in members.items():
        if says and not says.knows_leader:
            problems.append(f"etcd member {name} has no leader")
        if says and not says.votes:
            problems.append(f"etcd member {name} is still a learner")
    problems += [
        f"balancer {name} does not serve, or could not take the address" for name, well in balancers.items() if not well
    ]
    problems += [f"master {name}: {wrong}" for name, wrong in masters.items() if wrong]
    ready = {node["metadata"]["name"] for node in nodes if _condition(node, "Ready")}
    problems += [f"node {name} is not Ready" for name in masters if name not in ready]
    for pod in pods:
        name = pod["metadata"]["name"]
        for status in pod.get("status", {}).get("containerStatuses", []):
            reason = status.get("state", {}).get("waiting", {}).get("reason")
            if reason == "CrashLoopBackOff":
                problems.append(f"pod {name} is in crash back-off after {status.get('restartCount')} restarts")
        if not _condition(pod, "Ready") and pod.get("status", {}).get("phase") != "Succeeded":
            problems.append(f"pod {name} is not ready")
    return problems


def worn(pods: Sequence[Mapping[str, Any]]) -> list[str]:
    """Nodes on which a container of the control plane was restarted so often that its next restart waits for long."""
    found = {
        str(pod["spec"]["nodeName"])
        for pod in pods
        for status in pod.get("status", {}).get("containerStatuses", [])
        if status.get("restartCount", 0) >= WORN_RESTARTS and pod["metadata"].get("labels", {}).get("tier") == TIER
    }
    return sorted(found)


def _condition(thing: Mapping[str, Any], kind: str) -> bool:
    conditions = thing.get("status", {}).get("conditions", [])
    return any(condition["type"] == kind and condition["status"] == "True" for condition in conditions)


def scenario(machines: Sequence[Machine]) -> str:
    """The scenario that a cluster of these machines is of: it says which floors hold."""
    if any(machine.role == "member" for machine in machines):
        return "critical"
    return "development" if sum(machine.role == "master" for machine in machines) == 1 else "production"


class Cluster:
    """A running cluster."""

    def __init__(self, config: Path, injector: Injector) -> None:
        self.access = kubeconfig.load(config)
        self.api = Api(self.access)
        self._injector = injector
        self.machines = tuple(injector.machines())
        self._pool = ThreadPoolExecutor(max_workers=2 * len(self.machines) + 1)

    def of(self, role: str) -> list[Machine]:
        """Machines of a role."""
        return [machine for machine in self.machines if machine.role == role]

    def members(self) -> dict[str, Member | None]:
        """What each etcd member says of itself."""
        carriers = [machine for machine in self.machines if machine.member]
        said = self._pool.map(lambda machine: _member(machine.address), carriers)
        return {machine.name: says for machine, says in zip(carriers, said, strict=True)}

    def leader(self) -> str | None:
        """Machine of the etcd leader; None while there is none or it is not to be reached."""
        return next((name for name, says in self.members().items() if says and says.leads), None)

    def view(self) -> View:
        """The cluster as targets are chosen from it."""
        return View(self.machines, self.leader(), self._active_balancer())

    def missing(self) -> list[str]:
        """What keeps the cluster from being whole, in words."""
        self._find_again()
        members = self._pool.submit(self.members)
        masters, balancers = self.of("master"), self.of("balancer")
        serving = self._pool.map(lambda machine: _balances(machine.address), balancers)
        wrong = self._pool.map(lambda machine: self._readyz(machine.address), masters)
        try:
            nodes = self.api.call("GET", "/api/v1/nodes")["items"]
            pods = self.api.call("GET", SYSTEM_PODS)["items"]
        except ApiError as error:
            return [f"the endpoint does not answer: {error}"]
        return missing(
            members.result(),
            {machine.name: problem for machine, problem in zip(masters, wrong, strict=True)},
            nodes,
            pods,
            {machine.name: serves for machine, serves in zip(balancers, serving, strict=True)},
        )

    def worn(self) -> list[str]:
        """Masters on which a container was restarted so often that its next restart waits for long.

        Raises:
            InjectionError: the API does not answer.
        """
        try:
            found = worn(self.api.call("GET", SYSTEM_PODS)["items"])
        except ApiError as error:
            raise InjectionError(f"how often containers were restarted: {error}") from error
        return [machine.name for machine in self.of("master") if machine.name in found]

    def _find_again(self) -> None:
        """Where the machines are now: one that was replaced may have another address. None is forgotten meanwhile."""
        with suppress(InjectionError):
            now = {machine.name: machine for machine in self._injector.machines()}
            self.machines = tuple(({machine.name: machine for machine in self.machines} | now).values())

    def counted(self) -> dict[str, Counts]:
        """What each API server that answers has counted of its requests."""
        masters = self.of("master")
        found = self._pool.map(lambda machine: self._counts(machine.address), masters)
        return {machine.name: one for machine, one in zip(masters, found, strict=True) if one}

    def _counts(self, address: str) -> Counts | None:
        try:
            return counts(str(Api(self.access, host=address, port=API_PORT).call("GET", "/metrics")))
        except ApiError:
            return None

    def _readyz(self, address: str) -> str | None:
        try:
            Api(self.access, host=address, port=API_PORT, timeout=PATIENCE).call("GET", "/readyz")
        except ApiError as error:
            return str(error)
        return None

    def _active_balancer(self) -> str | None:
        """The balancer that has the endpoint's address."""
        for machine in self.of("balancer"):
            try:
                addresses = self._injector.run(machine.name, "ip", "-4", "-oneline", "address", "show")
            except InjectionError:
                continue
            if f" {self.access.host}/" in addresses:
                return machine.name
        return None


def _balances(address: str) -> bool:
    """Whether a balancer serves, and would take the address from the other one: it serves half a second earlier."""
    try:
        socket.create_connection((address, API_PORT), timeout=PATIENCE).close()
    except OSError:
        return False
    page = _metrics(address, AGENT_PORT)
    return page is not None and stands_by(page)


def _member(address: str) -> Member | None:
    page = _metrics(address, ETCD_METRICS_PORT)
    return None if page is None else member(page)


def _metrics(address: str, port: int) -> str | None:
    """A metrics page; None when there is no answer."""
    connection = http.client.HTTPConnection(address, port, timeout=PATIENCE)
    try:
        # 15 kB of etcd's instead of 200: over a link of 2 Mbit/s these took a second, of each second.
        connection.request("GET", "/metrics", headers={"Accept-Encoding": "gzip"})
        answer = connection.getresponse()
        content = answer.read()
        packed = answer.headers["Content-Encoding"] == "gzip"
        return (gzip.decompress(content) if packed else content).decode()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
