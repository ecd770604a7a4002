"""The network of a control plane on Google Cloud: one subnetwork for nodes of all zones, one for the API's endpoint."""

from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_gcp import compute

from components.gcp.addresses import Addresses

PODS: Final = "pods"
SERVICES: Final = "services"
"""Names of the secondary ranges."""

FLOW_SAMPLING: Final = 0.5


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    """What a network is made from."""

    region: str
    addresses: Addresses
    pod_cidr: str
    service_cidr: str
    flow_logs: bool


class Network(pulumi.ComponentResource):
    """A VPC whose machines have no public address."""

    network: pulumi.Output[str]
    subnetwork: pulumi.Output[str]
    """Of the nodes."""
    endpoint_subnetwork: pulumi.Output[str]

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kube-ha:gcp:Network", name, None, opts)
        self.name, self.args = name, args
        self.child = pulumi.ResourceOptions(parent=self)
        network = compute.Network(
            name,
            description=f"kube-ha: {name}",
            auto_create_subnetworks=False,
            # Routes that a router learns reach the other regions' clients too.
            routing_mode="GLOBAL",
            opts=self.child,
        )
        nodes = self.nodes(network)
        endpoint = compute.Subnetwork(
            f"{name}-endpoint",
            description="kube-ha: the private endpoint of the API",
            region=args.region,
            network=network.id,
            ip_cidr_range=str(args.addresses.endpoint),
            private_ip_google_access=True,
            opts=self.child,
        )
        way_out = self.way_out(network)
        self.network, self.endpoint_subnetwork = network.id, endpoint.id
        # Nodes pull images at their first boot: whoever uses their subnetwork waits for the way out.
        self.subnetwork = pulumi.Output.all(nodes.id, way_out.id).apply(lambda ids: str(ids[0]))
        self.register_outputs({"network": self.network, "subnetwork": self.subnetwork})

    def nodes(self, network: compute.Network) -> compute.Subnetwork:
        flow_log = compute.SubnetworkLogConfigArgs(
            aggregation_interval="INTERVAL_5_SEC", flow_sampling=FLOW_SAMPLING, metadata="INCLUDE_ALL_METADATA"
        )
        return compute.Subnetwork(
            f"{self.name}-nodes",
            description="kube-ha: nodes, their pods, and services",
            region=self.args.region,
            network=network.id,
            ip_cidr_range=str(self.args.addresses.nodes),
            # Google's own services are reached without the way out.
            private_ip_google_access=True,
            secondary_ip_ranges=[
                compute.SubnetworkSecondaryIpRangeArgs(range_name=PODS, ip_cidr_range=self.args.pod_cidr),
                compute.SubnetworkSecondaryIpRangeArgs(range_name=SERVICES, ip_cidr_range=self.args.service_cidr),
            ],
            log_config=flow_log if self.args.flow_logs else None,
            opts=self.child,
        )

    def way_out(self, network: compute.Network) -> compute.RouterNat:
        """Cloud NAT: a service of the region, in no zone."""
        router = compute.Router(self.name, region=self.args.region, network=network.id, opts=self.child)
        return compute.RouterNat(
            self.name,
            router=router.name,
            region=self.args.region,
            nat_ip_allocate_option="AUTO_ONLY",
            source_subnetwork_ip_ranges_to_nat="ALL_SUBNETWORKS_ALL_IP_RANGES",
            log_config=compute.RouterNatLogConfigArgs(enable=True, filter="ERRORS_ONLY"),
            opts=pulumi.ResourceOptions(parent=router),
        )
