"""What every control plane gives, self-managed or managed, in every cloud: the contract of the stack's outputs."""

from dataclasses import dataclass
from typing import Protocol

import pulumi

from components.settings import Settings
from components.topology import Topology


@dataclass(frozen=True, kw_only=True)
class ControlPlaneArgs:
    """What a control plane is made from, in every cloud."""

    settings: Settings
    topology: Topology


class ControlPlane(Protocol):
    """The public shape of `components.<cloud>.self_managed.ControlPlane` (and of `managed`)."""

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


OUTPUTS = ("endpoint", "kubeconfig", "zones", "masters", "members", "survives", "backups")


def export(control_plane: ControlPlane) -> None:
    """Make the contract the stack's outputs."""
    for name in OUTPUTS:
        pulumi.export(name, getattr(control_plane, name))
