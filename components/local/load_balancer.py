"""The load balancer of a local control plane: two machines with HAProxy and Keepalived, one virtual address."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pulumi

from components.local.addresses import Balancer
from components.local.machines import MachineGroup, MachineGroupArgs, Slot
from components.node.machine import Role


@dataclass(frozen=True, kw_only=True)
class LoadBalancerArgs:
    """What a load balancer is made from."""

    network: pulumi.Input[str]
    image: Path
    balancers: Sequence[Balancer]
    user_data: pulumi.Input[str]
    """Of both: a balancer finds its own name in what the cloud says of it."""
    needs: Sequence[pulumi.Resource] = ()
    """As `MachineGroupArgs` has it."""


class LoadBalancer(pulumi.ComponentResource):
    """Balancers in two zones, so that neither a machine nor a zone takes the endpoint away."""

    group: MachineGroup

    def __init__(self, name: str, args: LoadBalancerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kube-ha:local:LoadBalancer", name, None, opts)
        self.group = MachineGroup(
            name,
            MachineGroupArgs(
                network=args.network,
                role=Role.BALANCER,
                image=args.image,
                user_data=args.user_data,
                needs=args.needs,
                slots=[
                    Slot(machine=balancer.name, zone=balancer.zone, address=balancer.address, edge=True)
                    for balancer in args.balancers
                ],
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})
