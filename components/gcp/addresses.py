"""Where everything is in the network of a control plane on Google Cloud. Pure arithmetic.

x.y.0.0/20     nodes: subnetworks are a region's, so one holds the nodes of all zones
x.y.16.0/28    the private endpoint of the API
"""

from dataclasses import dataclass
from ipaddress import IPv4Network
from itertools import islice
from typing import Final

NODES_PREFIX: Final = 20
ENDPOINT_PREFIX: Final = 28


@dataclass(frozen=True)
class Addresses:
    """The plan of a control plane's network."""

    nodes: IPv4Network
    endpoint: IPv4Network


def plan(cidr: IPv4Network) -> Addresses:
    """Ranges within a /16."""
    nodes, rest = islice(cidr.subnets(new_prefix=NODES_PREFIX), 2)
    return Addresses(nodes=nodes, endpoint=next(rest.subnets(new_prefix=ENDPOINT_PREFIX)))
