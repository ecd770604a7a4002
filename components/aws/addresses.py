"""Where everything is in the network of a control plane on AWS. Pure arithmetic.

x.y.0.0/20          public subnets, one /24 per zone: NAT gateways, and the load balancer where it is public
x.y.16·i.0/20       private subnet of the i-th zone, from 1 on: machines
  … .16/28 in it    reserved: the addresses of members, which outlive their machines
"""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from itertools import islice
from typing import Final

from components.numbering import in_order
from components.topology import Topology

ZONE_PREFIX: Final = 20
PUBLIC_PREFIX: Final = 24
RESERVED_PREFIX: Final = 28


@dataclass(frozen=True)
class Subnets:
    """The ranges of a zone."""

    private: IPv4Network
    public: IPv4Network
    reserved: IPv4Network
    """Within `private`: AWS gives none of these to a machine that did not ask for it by number."""


@dataclass(frozen=True)
class Addresses:
    """The plan of a control plane's network."""

    zones: Mapping[str, Subnets]
    members: Mapping[str, str]
    """Member → the address reserved for it. A stacked member's is its master's too."""


def plan(cidr: IPv4Network, topology: Topology) -> Addresses:
    """Ranges of the zones and addresses of the members within a /16."""
    first, *private = islice(cidr.subnets(new_prefix=ZONE_PREFIX), len(topology.zones) + 1)
    zones = {
        zone: Subnets(private=block, public=public, reserved=reserved(block))
        for zone, block, public in zip(topology.zones, private, first.subnets(new_prefix=PUBLIC_PREFIX), strict=False)
    }
    return Addresses(zones=zones, members=members({zone: ranges.reserved for zone, ranges in zones.items()}, topology))


def reserved(private: IPv4Network) -> IPv4Network:
    """The part of a private subnet that is for members.

    Raises:
        ValueError: the subnet has no such part; it is smaller than a /27.
    """
    if private.prefixlen >= RESERVED_PREFIX:
        raise ValueError(f"{private} has no room for members; a private subnet is a /{RESERVED_PREFIX - 1} or larger")
    return IPv4Network((private.network_address + 2 ** (32 - RESERVED_PREFIX), RESERVED_PREFIX))


def members(reserved: Mapping[str, IPv4Network], topology: Topology) -> Mapping[str, str]:
    """Member → its address, in order, from its zone's reserved range."""
    return in_order(topology.members, reserved)
