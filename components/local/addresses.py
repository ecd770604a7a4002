"""Where everything is in the network of a local control plane. Pure arithmetic.

The /16 is cut into /24 networks: number 0 is the edge segment with the balancers, number i the i-th zone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from itertools import islice
from typing import Final

from components.numbering import in_order
from components.topology import Topology

VIRTUAL: Final = 10
FIRST_BALANCER: Final = 11
FIRST_MEMBER: Final = 11
FIRST_MASTER: Final = 21
BALANCERS: Final = 2


@dataclass(frozen=True)
class Balancer:
    """A machine with HAProxy and Keepalived; it stands on the edge segment and belongs to a zone."""

    name: str
    zone: str
    address: str


@dataclass(frozen=True)
class Addresses:
    """Every address of a control plane, by name of its machine."""

    machines: Mapping[str, str]
    """Masters and external members."""
    balancers: tuple[Balancer, ...]
    virtual: str | None
    """The balancers' shared address with prefix length; None without balancers."""

    @property
    def endpoint_address(self) -> str:
        """Where clients go."""
        return self.virtual.split("/")[0] if self.virtual else self.machines["master-1"]


def plan(cidr: IPv4Network, topology: Topology) -> Addresses:
    """Addresses of a topology's machines within a /16."""
    edge, *zone_networks = islice(cidr.subnets(new_prefix=24), len(topology.zones) + 1)
    networks = dict(zip(topology.zones, zone_networks, strict=True))
    balancers = tuple(
        Balancer(f"balancer-{n}", zone, str(edge[FIRST_BALANCER + n - 1]))
        for n, zone in enumerate(topology.zones[:BALANCERS], 1)
        if topology.load_balancer
    )
    machines = in_order(topology.masters, networks, FIRST_MASTER)
    if topology.external_etcd:
        machines |= in_order(topology.members, networks, FIRST_MEMBER)
    virtual = f"{edge[VIRTUAL]}/{edge.prefixlen}" if topology.load_balancer else None
    return Addresses(machines=machines, balancers=balancers, virtual=virtual)
