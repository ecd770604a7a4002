"""What every control plane is, self-managed or managed, in every cloud: the contract of the stack's outputs."""

from dataclasses import dataclass

import pulumi

from components.declaration import declaration
from components.settings import Settings
from components.topology import Topology


@dataclass(frozen=True, kw_only=True)
class ControlPlaneArgs:
    """What a control plane is made from, in every cloud."""

    settings: Settings
    topology: Topology


class ControlPlane(pulumi.ComponentResource):
    """What `components.<cloud>.self_managed.ControlPlane` and that of `managed` have in common: the declaration of what
    it will be, its outputs, and those of them that the topology knows.
    """

    endpoint: pulumi.Output[str]
    """URL of the API."""
    kubeconfig: pulumi.Output[str]
    """For the administrator; secret."""
    zones: pulumi.Output[list[str]]
    masters: pulumi.Output[list[str]]
    members: pulumi.Output[list[str]]
    """etcd members; as masters, none where the cloud keeps them to itself."""
    survives: pulumi.Output[list[str]]
    """What may be lost without the API stopping, in words."""
    backups: pulumi.Output[str]
    """Where snapshots are; of a managed control plane, where the cloud's backups of it are."""

    def __init__(self, name: str, args: ControlPlaneArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        settings, topology = args.settings, args.topology
        super().__init__(f"kube-ha:{settings.cloud}:ControlPlane", name, declaration(settings, topology), opts)
        self.name = name
        self.settings, self.topology = settings, topology
        self.child = pulumi.ResourceOptions(parent=self)
        self.zones = pulumi.Output.from_input(list(topology.zones))
        self.masters = pulumi.Output.from_input([master.name for master in topology.masters])
        self.members = pulumi.Output.from_input([member.name for member in topology.members])
        self.survives = pulumi.Output.from_input(list(topology.survives))

    def complete(self) -> None:
        """The last thing a control plane does: endpoint, kubeconfig and backups are there too."""
        self.register_outputs({output: getattr(self, output) for output in OUTPUTS})


OUTPUTS = ("endpoint", "kubeconfig", "zones", "masters", "members", "survives", "backups")


def export(control_plane: ControlPlane) -> None:
    """Make the contract the stack's outputs."""
    for name in OUTPUTS:
        pulumi.export(name, getattr(control_plane, name))
