"""A managed control plane on Azure: a private AKS cluster over zones, its keys, its backups, and what watches it."""

import re
from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import Final

import pulumi
import pulumi_azure_native as azure
from pulumi_azure_native import authorization, containerservice, resources

from components import control_plane
from components.azure import node_pools
from components.azure.backups import Backups, BackupsArgs
from components.azure.cluster import Cluster, ClusterArgs
from components.azure.encryption import Encryption, EncryptionArgs
from components.azure.identity import Identity, IdentityArgs
from components.azure.levers import LEVERS
from components.azure.logs import Logs, LogsArgs
from components.azure.monitoring import Monitoring, MonitoringArgs
from components.azure.network import Network, NetworkArgs
from components.azure.place import Place
from components.azure.prometheus import Prometheus, PrometheusArgs
from components.clouds import Cloud
from components.control_plane import ControlPlaneArgs
from components.managed import PLANES

CLUSTER_TAG: Final = "kube-ha:cluster"
OBJECT_ID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
NO_BACKUPS: Final = "none"


class ControlPlane(control_plane.ControlPlane):
    """Everything of a stack; done when AKS says that the cluster runs."""

    def __init__(self, name: str, args: ControlPlaneArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        check_administrators(name, args.settings.administrators)
        provider = azure.Provider(name, location=args.settings.region)
        ours = pulumi.ResourceOptions(providers={"azure-native": provider})
        super().__init__(name, args, pulumi.ResourceOptions.merge(opts, ours))
        self.levers = LEVERS[self.topology.scenario]
        self.tags: Mapping[str, str] = {**self.settings.tags, CLUSTER_TAG: name}
        self.asking = pulumi.InvokeOptions(parent=self, provider=provider)
        self.account = authorization.get_client_config(opts=self.asking)
        self.place = self.group(name, self.child)

        self.network = Network(name, NetworkArgs(place=self.place, cidr=self.settings.network.cidr), opts=self.child)
        self.identity = self.make_identity()
        # What must be there on the day on which the rest is gone has a group of its own.
        self.kept = self.group(f"{name}-kept", self.keep()) if self.levers.etcd_key or self.levers.backup else None
        self.logs = self.make_logs()
        self.cluster = self.make_cluster()
        self.watch()
        self.backups = self.make_backups()

        self.endpoint = pulumi.Output.concat("https://", self.cluster.host, ":443")
        self.kubeconfig = self.credentials()
        self.complete()

    def keep(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, protect=True, retain_on_delete=True)

    def group(self, name: str, opts: pulumi.ResourceOptions) -> Place:
        made = resources.ResourceGroup(name, location=self.settings.region, tags=self.tags, opts=opts)
        return Place(resource_group=made.name, location=self.settings.region, tags=self.tags)

    def make_identity(self) -> Identity:
        subnets = {"nodes": self.network.nodes_subnet, "api-server": self.network.api_server_subnet}
        return Identity(self.name, IdentityArgs(place=self.place, subnets=subnets), opts=self.child)

    def make_logs(self) -> Logs | None:
        if not self.levers.log_days:
            return None
        return Logs(self.name, LogsArgs(place=self.place, days=self.levers.log_days), opts=self.child)

    def make_encryption(self) -> Encryption | None:
        if self.kept is None or not self.levers.etcd_key:
            return None
        return Encryption(
            self.name,
            EncryptionArgs(
                place=self.kept,
                tenant=self.account.tenant_id,
                cluster_principal=self.identity.principal_id,
                disks=self.levers.disk_key,
            ),
            opts=self.child,
        )

    def make_cluster(self) -> Cluster:
        settings = self.settings
        return Cluster(
            self.name,
            ClusterArgs(
                place=self.place,
                tier=PLANES[Cloud.AZURE][self.topology.scenario].tier,
                levers=self.levers,
                zones=self.topology.zones,
                nodes=node_pools.Nodes(
                    place=self.place,
                    subnet=self.network.nodes_subnet,
                    type=settings.nodes.type or self.levers.node_type,
                    per_zone=settings.nodes.per_zone,
                ),
                version=settings.managed_version,
                ranges=settings.network,
                public_to=settings.load_balancer.cidrs if settings.load_balancer.public else (),
                administrators=settings.administrators,
                network=self.network,
                identity=self.identity,
                encryption=self.make_encryption(),
                logs=self.logs.workspace_id if self.logs else None,
            ),
            opts=self.child,
        )

    def watch(self) -> None:
        cluster = self.cluster.resource.id
        alerts = Monitoring(self.name, MonitoringArgs(place=self.place, cluster=cluster), opts=self.child)
        if self.logs:
            self.logs.collect(cluster, self.levers.control_plane_logs)
        if self.levers.insights:
            told = PrometheusArgs(place=self.place, cluster=cluster, action_group=alerts.action_group)
            Prometheus(self.name, told, opts=self.child)

    def make_backups(self) -> pulumi.Output[str]:
        if self.kept is None or self.levers.backup is None:
            return pulumi.Output.from_input(NO_BACKUPS)
        made = Backups(
            self.name,
            BackupsArgs(
                place=self.kept,
                plan=self.levers.backup,
                cluster=self.cluster.resource,
                cluster_group=self.place.resource_group,
                cluster_principal=self.identity.principal_id,
                nodes_subnet=self.network.nodes_subnet,
                tenant=self.account.tenant_id,
                subscription=self.account.subscription_id,
            ),
            opts=self.child,
        )
        return made.vault_id

    def credentials(self) -> pulumi.Output[str]:
        """A kubeconfig that asks kubelogin who its user is: there is nothing in it that opens the cluster by itself,
        but it is a secret all the same, as those of other control planes are.
        """
        answer = containerservice.list_managed_cluster_user_credentials_output(
            resource_group_name=self.place.resource_group,
            resource_name=self.cluster.resource.name,
            format="exec",
            opts=pulumi.InvokeOutputOptions(parent=self, provider=self.asking.provider),
        )
        return pulumi.Output.secret(answer.kubeconfigs.apply(lambda found: b64decode(found[0].value).decode()))


def check_administrators(stack: str, given: Sequence[str]) -> None:
    """AKS takes object IDs, and says so only after it has made the cluster.

    Raises:
        RunError: one is something else.
    """
    for administrator in given:
        if not OBJECT_ID.fullmatch(administrator):
            raise pulumi.RunError(
                f"stack {stack}:\nkube-ha:administrators: got {administrator!r}; AKS takes the object IDs of groups of "
                "Entra ID, such as 6f1d8f0c-0b5e-4a53-9a29-0c2d1b3e4f50."
            )
