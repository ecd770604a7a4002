"""Where things are in a network, and what they are called in the kernel. Pure arithmetic.

x.y.0.0/24     edge segment, router at .1
x.y.i.0/24     zone number i (from 1), router at .1
x.y.255.0/30   link to the host: router .1, host .2
"""

import hashlib
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from providers.local.specs import Network, Slot

EDGE = "edge"
HOST_LINK_NUMBER = 255


@dataclass(frozen=True)
class Segment:
    """A bridge in a namespace of its own, joined to the router by a veth."""

    name: str
    """`edge`, or the zone's name."""
    cidr: IPv4Network
    namespace: str
    router_interface: str
    """The router's end of the veth; the segment's own end is always called `wan`."""

    @property
    def gateway(self) -> IPv4Address:
        """The router's address in this segment."""
        return self.cidr[1]


class Addresses:
    """All names and addresses of one network."""

    def __init__(self, network: Network) -> None:
        self.name = network.name
        self.cidr = IPv4Network(network.cidr)
        blocks = list(self.cidr.subnets(new_prefix=24))
        self.router_namespace = f"kha-{network.name}.router"
        self.edge = Segment(EDGE, blocks[0], f"kha-{network.name}.edge", "seg0")
        self.zones = {
            zone: Segment(zone, blocks[number], f"kha-{network.name}.z.{zone}", f"seg{number}")
            for number, zone in enumerate(network.zones, 1)
        }
        link = next(blocks[HOST_LINK_NUMBER].subnets(new_prefix=30))
        self.router_link, self.host_link = link[1], link[2]
        # Interface names end at 15 characters, which a network's name may exceed.
        self.host_interface = "kha-" + hashlib.sha256(network.name.encode()).hexdigest()[:10]

    @property
    def segments(self) -> list[Segment]:
        """The edge segment and all zones."""
        return [self.edge, *self.zones.values()]

    def segment(self, slot: Slot) -> Segment:
        """Where a slot's machine is plugged in."""
        return self.edge if slot.edge else self.zones[slot.zone]

    def machine_namespace(self, machine: str) -> str:
        """The network namespace of a machine."""
        return f"kha-{self.name}.m.{machine}"


def port(slot: Slot) -> str:
    """The machine's port on its segment's bridge: named by the last byte of its address."""
    return f"port{int(slot.address) & 0xFF}"


def prefix(network: str) -> str:
    """What the names of all namespaces of a network start with. Names have no dot, so no other network matches."""
    return f"kha-{network}."
