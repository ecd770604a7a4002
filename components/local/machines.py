"""The machines of a local control plane: groups that replace what dies, and the volumes that outlive it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pulumi

from components.node.machine import Role
from providers.local import resources as local

MEMORY_MB: Final = {Role.MASTER: 2048, Role.MEMBER: 512, Role.BALANCER: 256}
"""Limits, at twice or more of what a machine was seen to use (docs/measurements.md)."""

VOLUME_MB: Final = 10 * 1024
"""Room for etcd's quota of 8 GiB and what defragmentation needs beside it; a sparse file, so it costs what is used."""


@dataclass(frozen=True, kw_only=True)
class Slot:
    """A place for a machine that its group keeps filled."""

    machine: str
    zone: str
    address: str
    edge: bool = False
    """Whether it stands on the edge segment."""


@dataclass(frozen=True, kw_only=True)
class MachineGroupArgs:
    """What a group is made from."""

    network: pulumi.Input[str]
    role: Role
    image: Path
    user_data: pulumi.Input[str]
    slots: Sequence[Slot]
    durable: bool = False
    """Whether each machine has a volume that outlives it: one that carries an etcd member does."""
    needs: Sequence[pulumi.Resource] = ()
    """What is there before a machine boots, and until the last one is gone. The engine does not pass a component's own
    `depends_on` on to its children."""


class MachineGroup(pulumi.ComponentResource):
    """Machines of one role that come back by themselves; the resource is the group, not one incarnation."""

    name: str
    template: pulumi.Output[str]
    """Fingerprint of what its machines should have booted from."""
    machines: Sequence[str]

    def __init__(self, name: str, args: MachineGroupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kube-ha:local:MachineGroup", name, None, opts)
        group = local.MachineGroup(
            name,
            local.MachineGroupArgs(
                name=name,
                network=args.network,
                role=str(args.role),
                image=str(args.image),
                user_data=args.user_data,
                memory_mb=MEMORY_MB[args.role],
                slots=[
                    local.SlotArgs(
                        machine=slot.machine,
                        zone=slot.zone,
                        address=slot.address,
                        edge=slot.edge,
                        volume=self.volume(slot, args.network).name if args.durable else None,
                    )
                    for slot in args.slots
                ],
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=args.needs),
        )
        self.name = name
        self.template = group.template
        self.machines = [slot.machine for slot in args.slots]
        self.register_outputs({"template": self.template})

    def volume(self, slot: Slot, network: pulumi.Input[str]) -> local.Volume:
        return local.Volume(
            f"{slot.machine}",
            local.VolumeArgs(name=slot.machine, network=network, zone=slot.zone, size_mb=VOLUME_MB),
            opts=pulumi.ResourceOptions(parent=self, protect=True),
        )
