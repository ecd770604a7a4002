"""The network of a local control plane: an edge segment and one network per zone, joined by a router."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from providers.local import resources as local


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    """What a network is made from."""

    cidr: str
    zones: Sequence[str]


class Network(pulumi.ComponentResource):
    """Zones that can be cut from each other."""

    id: pulumi.Output[str]
    """Name by which machines, volumes, secrets and buckets say that they are in it."""

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kube-ha:local:Network", name, None, opts)
        network = local.Network(
            name,
            local.NetworkArgs(name=name, cidr=args.cidr, zones=args.zones),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.id = network.name
        self.register_outputs({"id": self.id})
