"""The add-ons of an EKS cluster, in versions that EKS finds fit for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi_aws import eks

from components import spreading
from components.aws.roles import POD_IDENTITY, role

BEFORE_NODES: Final = ("vpc-cni", "kube-proxy", "eks-pod-identity-agent", "eks-node-monitoring-agent")
"""One on each node: without the first two no node becomes ready; the last tells node auto repair what the kubelet does
not see."""

COREDNS_LABELS: Final = {"k8s-app": "kube-dns"}


@dataclass(frozen=True, kw_only=True)
class Identified:
    """An add-on with a role of AWS."""

    service_account: str
    policy: str


IDENTIFIED: Final[Mapping[str, Identified]] = {
    "aws-ebs-csi-driver": Identified(
        service_account="ebs-csi-controller-sa", policy="service-role/AmazonEBSCSIDriverPolicy"
    ),
    "amazon-cloudwatch-observability": Identified(
        service_account="cloudwatch-agent", policy="CloudWatchAgentServerPolicy"
    ),
}


@dataclass(frozen=True, kw_only=True)
class AddOnsArgs:
    """What the add-ons are made from."""

    cluster_name: pulumi.Input[str]
    partition: str
    zones: int
    container_insights: bool


class AddOns(pulumi.ComponentResource):
    """Those that nodes need to become ready, and those that need nodes."""

    before_nodes: Sequence[pulumi.Resource]

    def __init__(self, name: str, args: AddOnsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kube-ha:aws:AddOns", name, None, opts)
        self.name, self.args = name, args
        self.before_nodes = [self.add_on(add_on) for add_on in BEFORE_NODES]
        self.register_outputs({})

    def after(self, nodes: pulumi.Resource) -> list[pulumi.Resource]:
        """What runs on nodes, and is degraded until there are some."""
        observed = ["amazon-cloudwatch-observability"] if self.args.container_insights else []
        made: list[pulumi.Resource] = [
            self.add_on("coredns", coredns(self.args.zones), needs=[nodes]),
            self.add_on("metrics-server", needs=[nodes]),
        ]
        made += [self.add_on(add_on, needs=[nodes]) for add_on in ("aws-ebs-csi-driver", *observed)]
        return made

    def add_on(
        self, add_on: str, configuration: Mapping[str, Any] | None = None, needs: Sequence[pulumi.Resource] = ()
    ) -> eks.Addon:
        associations, attached = self.identity(add_on)
        return eks.Addon(
            f"{self.name}-{add_on}",
            cluster_name=self.args.cluster_name,
            addon_name=add_on,
            configuration_values=pulumi.Output.json_dumps(configuration) if configuration else None,
            pod_identity_associations=associations,
            resolve_conflicts_on_create="OVERWRITE",
            resolve_conflicts_on_update="OVERWRITE",
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*needs, *attached]),
        )

    def identity(
        self, add_on: str
    ) -> tuple[Sequence[eks.AddonPodIdentityAssociationArgs] | None, Sequence[pulumi.Resource]]:
        if add_on not in IDENTIFIED:
            return None, ()
        who = IDENTIFIED[add_on]
        taken, attached = role(
            f"{self.name}-{add_on}",
            POD_IDENTITY,
            [who.policy],
            self.args.partition,
            pulumi.ResourceOptions(parent=self),
        )
        association = eks.AddonPodIdentityAssociationArgs(role_arn=taken.arn, service_account=who.service_account)
        return [association], attached


def coredns(zones: int) -> dict[str, Any]:
    """A resolver in each zone, two at least: names are the first thing that everything asks for."""
    return {
        "replicaCount": max(zones, 2),
        "affinity": spreading.anti_affinity(COREDNS_LABELS),
        "topologySpreadConstraints": spreading.spread_over_zones(COREDNS_LABELS),
        "podDisruptionBudget": {"enabled": True, "maxUnavailable": 1},
    }
