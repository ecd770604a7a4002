"""The network of a control plane on Azure: one for the nodes over all zones, and the API server's own part of it."""

from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Final

import pulumi
from pulumi_azure_native import network

from components.azure.place import Place

API_SERVER_PREFIX: Final = 28
"""The least that API Server VNet Integration takes (Microsoft Learn, aks/api-server-vnet-integration)."""
NODES_PREFIX: Final = 18
"""16 thousand addresses: pods have their own, so nodes need one each, and one more for each that an upgrade adds."""


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    """What a network is made from."""

    place: Place
    cidr: IPv4Network
    """A /16."""


class Network(pulumi.ComponentResource):
    """A virtual network with two subnets. Subnets of Azure span all zones of their region.

    They have no security group of their own: AKS keeps one on its nodes that lets in nothing from outside, and opens it
    for a Service of type LoadBalancer alone; a second one on the subnet would close that again in silence.
    """

    nodes_subnet: pulumi.Output[str]
    api_server_subnet: pulumi.Output[str]

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kube-ha:azure:Network", name, None, opts)
        self.args = args
        whole = network.VirtualNetwork(
            name,
            resource_group_name=args.place.resource_group,
            location=args.place.location,
            tags=args.place.tags,
            address_space=network.AddressSpaceArgs(address_prefixes=[str(args.cidr)]),
            opts=pulumi.ResourceOptions(parent=self),
        )
        nodes_cidr, api_server_cidr = parts(args.cidr)
        nodes = network.Subnet(
            f"{name}-nodes",
            subnet_name="nodes",
            resource_group_name=args.place.resource_group,
            virtual_network_name=whole.name,
            address_prefix=str(nodes_cidr),
            # Backups go to their account without leaving Azure's network.
            service_endpoints=[network.ServiceEndpointPropertiesFormatArgs(service="Microsoft.Storage")],
            opts=pulumi.ResourceOptions(parent=whole),
        )
        api_server = network.Subnet(
            f"{name}-api-server",
            subnet_name="api-server",
            resource_group_name=args.place.resource_group,
            virtual_network_name=whole.name,
            address_prefix=str(api_server_cidr),
            delegations=[
                network.DelegationArgs(name="aks", service_name="Microsoft.ContainerService/managedClusters"),
            ],
            # Azure changes one subnet of a network at a time.
            opts=pulumi.ResourceOptions(parent=whole, depends_on=[nodes]),
        )
        self.nodes_subnet, self.api_server_subnet = nodes.id, api_server.id
        self.register_outputs({"nodesSubnet": self.nodes_subnet, "apiServerSubnet": self.api_server_subnet})


def parts(cidr: IPv4Network) -> tuple[IPv4Network, IPv4Network]:
    """The ranges of the nodes and of the API server: the first and the last of the network."""
    *_, last = cidr.subnets(new_prefix=API_SERVER_PREFIX)
    return next(cidr.subnets(new_prefix=NODES_PREFIX)), last
