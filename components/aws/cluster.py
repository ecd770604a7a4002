"""The control plane that EKS runs: over all zones, private, logged, encrypted, and who may use it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_aws import cloudwatch, ec2, eks, iam, vpc

from components.aws import policies
from components.aws.levers import Levers
from components.aws.roles import role
from components.settings import SettingsError

LOGS: Final = ("api", "audit", "authenticator", "controllerManager", "scheduler")
"""All that EKS has."""

HTTPS: Final = 443

PRINCIPAL: Final = re.compile(r"arn:aws[\w-]*:iam::\d{12}:(role|user)/\S+")

ADMINISTRATOR: Final = "arn:{partition}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"


@dataclass(frozen=True, kw_only=True)
class ClusterArgs:
    """What a cluster is made from."""

    partition: str
    vpc_id: pulumi.Input[str]
    network_cidr: str
    subnets: Mapping[str, pulumi.Input[str]]
    """Zone → id."""
    service_cidr: str
    version: str | None
    """None is EKS' own default."""
    tier: str
    levers: Levers
    key_arn: pulumi.Input[str]
    public: bool
    client_cidrs: Sequence[str]
    """Beside the network's own machines."""
    administrators: Sequence[str]
    """ARNs of IAM principals, beside whoever makes the cluster."""


class Cluster(pulumi.ComponentResource):
    """An EKS cluster without nodes."""

    cluster_name: pulumi.Output[str]
    arn: pulumi.Output[str]
    endpoint: pulumi.Output[str]
    authority: pulumi.Output[str]
    """Certificate, base64."""

    def __init__(self, name: str, args: ClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        allowed = use_key(policies.NotYet())
        super().__init__("kube-ha:aws:Cluster", name, {"policy": policies.outline(allowed)}, opts)
        self.name, self.args = name, args
        self.child = pulumi.ResourceOptions(parent=self)
        taken, attached = role(
            f"{name}-cluster",
            policies.assumed_by("eks.amazonaws.com"),
            ["AmazonEKSClusterPolicy"],
            args.partition,
            self.child,
        )
        encrypts = iam.RolePolicy(
            f"{name}-cluster",
            role=taken.id,
            policy=pulumi.Output.json_dumps(use_key(args.key_arn)),
            opts=pulumi.ResourceOptions(parent=taken),
        )
        # Made by EKS itself it would keep logs for ever, under no key of ours.
        logs = cloudwatch.LogGroup(
            f"{name}-control-plane",
            name=f"/aws/eks/{name}/cluster",
            retention_in_days=args.levers.log_days,
            kms_key_id=args.key_arn,
            opts=self.child,
        )
        made = self.cluster(taken.arn, self.clients(), [*attached, encrypts, logs])
        self.cluster_name, self.arn, self.endpoint = made.name, made.arn, made.endpoint
        self.authority = made.certificate_authority.apply(lambda authority: str(authority.data))
        for number, principal in enumerate(args.administrators, 1):
            self.administrator(number, principal, made)
        self.register_outputs({"clusterName": self.cluster_name, "endpoint": self.endpoint})

    def cluster(
        self, role_arn: pulumi.Input[str], group: pulumi.Input[str], needs: list[pulumi.Resource]
    ) -> eks.Cluster:
        args, levers = self.args, self.args.levers
        return eks.Cluster(
            self.name,
            name=self.name,
            version=args.version,
            role_arn=role_arn,
            vpc_config=eks.ClusterVpcConfigArgs(
                subnet_ids=list(args.subnets.values()),
                security_group_ids=[group],
                endpoint_private_access=True,
                endpoint_public_access=args.public,
                public_access_cidrs=list(args.client_cidrs) if args.public else None,
            ),
            kubernetes_network_config=eks.ClusterKubernetesNetworkConfigArgs(service_ipv4_cidr=args.service_cidr),
            # The aws-auth ConfigMap is one bad edit away from locking everybody out.
            access_config=eks.ClusterAccessConfigArgs(
                authentication_mode="API", bootstrap_cluster_creator_admin_permissions=True
            ),
            # The add-ons are resources of their own, with versions that EKS looks after.
            bootstrap_self_managed_addons=False,
            control_plane_scaling_config=eks.ClusterControlPlaneScalingConfigArgs(tier=args.tier),
            enabled_cluster_log_types=list(LOGS),
            encryption_config=eks.ClusterEncryptionConfigArgs(
                resources=["secrets"], provider=eks.ClusterEncryptionConfigProviderArgs(key_arn=args.key_arn)
            ),
            upgrade_policy=eks.ClusterUpgradePolicyArgs(support_type=levers.support),
            zonal_shift_config=eks.ClusterZonalShiftConfigArgs(enabled=levers.zonal_shift),
            deletion_protection=levers.deletion_protection,
            opts=pulumi.ResourceOptions(parent=self, depends_on=needs, protect=levers.deletion_protection),
        )

    def clients(self) -> pulumi.Output[str]:
        """The security group of the private endpoint."""
        args = self.args
        group = ec2.SecurityGroup(
            f"{self.name}-endpoint",
            vpc_id=args.vpc_id,
            description=f"kube-ha: clients of the API of {self.name}",
            tags={"Name": f"{self.name}-endpoint"},
            opts=self.child,
        )
        for number, cidr in enumerate((args.network_cidr, *args.client_cidrs), 1):
            vpc.SecurityGroupIngressRule(
                f"{self.name}-endpoint-clients-{number}",
                security_group_id=group.id,
                ip_protocol="tcp",
                from_port=HTTPS,
                to_port=HTTPS,
                cidr_ipv4=cidr,
                description=f"endpoint-clients-{number}",
                opts=pulumi.ResourceOptions(parent=group),
            )
        return group.id

    def administrator(self, number: int, principal: str, cluster: eks.Cluster) -> None:
        entry = eks.AccessEntry(
            f"{self.name}-administrator-{number}",
            cluster_name=cluster.name,
            principal_arn=principal,
            type="STANDARD",
            opts=pulumi.ResourceOptions(parent=cluster, protect=False),
        )
        eks.AccessPolicyAssociation(
            f"{self.name}-administrator-{number}",
            cluster_name=cluster.name,
            principal_arn=entry.principal_arn,
            policy_arn=ADMINISTRATOR.format(partition=self.args.partition),
            access_scope=eks.AccessPolicyAssociationAccessScopeArgs(type="cluster"),
            opts=pulumi.ResourceOptions(parent=entry, protect=False),
        )


def check_administrators(given: Sequence[str]) -> None:
    """Access entries take roles and users, and nothing else.

    Raises:
        SettingsError: one of them is neither.
    """
    for principal in given:
        if not PRINCIPAL.fullmatch(principal):
            raise SettingsError(
                f"kube-ha:administrators: got {principal!r}; EKS takes ARNs of IAM roles and users, such as "
                "arn:aws:iam::123456789012:role/oncall."
            )


def use_key(key_arn: policies.Text) -> dict[str, object]:
    """What EKS does with the key under which Secrets are encrypted."""
    return policies.document(
        policies.allow(["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:ListGrants"], key_arn)
    )
