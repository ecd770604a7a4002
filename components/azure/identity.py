"""Who a managed cluster on Azure is."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import managedidentity

from components.azure.place import Place
from components.azure.roles import Role, assign


@dataclass(frozen=True, kw_only=True)
class IdentityArgs:
    """What an identity is made from."""

    place: Place
    subnets: Mapping[str, pulumi.Input[str]]
    """Name → ID of those in which the cluster has addresses."""


class Identity(pulumi.ComponentResource):
    """Two identities, made before the cluster so that it may do what it has to from its first minute: the control
    plane's, and that of the kubelets, which may do nothing but what somebody adds (pull images, say).
    """

    id: pulumi.Output[str]
    principal_id: pulumi.Output[str]
    kubelet: managedidentity.UserAssignedIdentity

    def __init__(self, name: str, args: IdentityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kube-ha:azure:Identity", name, None, opts)
        self.args, self.child = args, pulumi.ResourceOptions(parent=self)
        control_plane = self.identity(f"{name}-control-plane")
        self.kubelet = self.identity(f"{name}-kubelet")
        self.id, self.principal_id = control_plane.id, control_plane.principal_id
        assign(
            f"{name}-hands-kubelets-theirs",
            Role.MANAGED_IDENTITY_OPERATOR,
            to=self.principal_id,
            on=self.kubelet.id,
            opts=self.child,
        )
        for subnet, identity in args.subnets.items():
            assign(
                f"{name}-joins-{subnet}", Role.NETWORK_CONTRIBUTOR, to=self.principal_id, on=identity, opts=self.child
            )
        self.register_outputs({"id": self.id, "principalId": self.principal_id})

    def identity(self, name: str) -> managedidentity.UserAssignedIdentity:
        return managedidentity.UserAssignedIdentity(
            name,
            resource_group_name=self.args.place.resource_group,
            location=self.args.place.location,
            tags=self.args.place.tags,
            opts=self.child,
        )
