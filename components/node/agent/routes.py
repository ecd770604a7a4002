"""The step `routes`: the network's routes to pods of Nodes without an agent, as a cloud's route controller keeps them.

Every master does it, without an election: it lists the routes before the Nodes. A route that it saw was then made for a
Node that was there before it asked for the Nodes, so one whose Node is not in its list has lost it.
"""

import ipaddress
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from components.node.agent import nodes
from components.node.agent.background import Background
from components.node.agent.cloud import CloudError
from components.node.agent.kubectl import local
from components.node.agent.step import Context, Step
from components.node.machine import Machine, Role

ROUND_SECONDS: Final = 10.0
"""How long a new worker's pods may wait for their route; the kubelet needs about as long to say that it is Ready."""


class RouteError(Exception):
    """The network did not take every route."""


@dataclass(frozen=True)
class Changes:
    """What makes the routes fit the Nodes: CIDR → address of the machine."""

    make: Mapping[str, str]
    end: Mapping[str, str]


def changes(routes: Mapping[str, str], found: Iterable[nodes.Node], pod_cidr: str) -> Changes:
    """Routes to make and to end; those outside the pod network are not ours.

    A Node with an agent keeps its own route: its machine may have moved before its Node says so.
    """
    pods, make, used = ipaddress.ip_network(pod_cidr), {}, set()
    for node in found:
        if (cidr := nodes.pod_cidr(node)) is None:
            continue
        used.add(cidr)
        address = nodes.address(node)
        if not nodes.has_agent(node) and address is not None and routes.get(cidr) != address:
            make[cidr] = address
    ours = {cidr: via for cidr, via in routes.items() if pods.supernet_of(ipaddress.ip_network(cidr))}  # type: ignore[arg-type]
    return Changes(make=make, end={cidr: via for cidr, via in ours.items() if cidr not in used})


class Routes(Step):
    """In the background: neither a silent API server nor a silent cloud may keep the loop from etcd."""

    name = "routes"

    def __init__(self) -> None:
        self._background: Background | None = None

    def applies(self, machine: Machine) -> bool:
        return machine.role is Role.MASTER and machine.kubernetes.pod_network

    def run(self, context: Context) -> None:
        self._background = self._background or Background(
            context, self.name, lambda: keep(context, lambda: nodes_of(context)), ROUND_SECONDS
        )
        self._background.start()


def nodes_of(context: Context) -> list[nodes.Node]:
    """All Nodes, as etcd's quorum has them."""
    return list((local(context).get("nodes") or {}).get("items", []))


def keep(context: Context, found: Callable[[], list[nodes.Node]]) -> None:
    """One round, with the Nodes that `found` asks for.

    Raises:
        RouteError: the network refused some; the others are made.
    """
    routes = context.cloud.routes()
    wanted = changes(routes, found(), context.machine.kubernetes.pod_cidr)
    failed = []
    for cidr, via in wanted.make.items():
        try:
            context.cloud.route(cidr, via)
            context.log(Routes.name, f"pods of {cidr} are at {via}")
        except CloudError as error:
            failed.append(f"{cidr} via {via}: {error}")
    for cidr, via in wanted.end.items():
        context.cloud.unroute(cidr, via)
        context.log(Routes.name, f"no Node has {cidr} any more: its route to {via} is ended")
    if failed:
        raise RouteError("; ".join(failed))
