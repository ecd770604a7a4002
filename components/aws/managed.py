"""A control plane on AWS that EKS manages: network, key, cluster, nodes over zones, backups."""

import pulumi

from components import kubeconfig
from components.aws import addresses, endpoints, machine_types
from components.aws.add_ons import AddOns, AddOnsArgs
from components.aws.cluster import Cluster, ClusterArgs, check_administrators
from components.aws.cluster_backups import ClusterBackups, ClusterBackupsArgs
from components.aws.cluster_monitoring import ClusterMonitoring, ClusterMonitoringArgs
from components.aws.control_plane import ControlPlaneOnAws
from components.aws.dns_failover import DnsFailover, DnsFailoverArgs
from components.aws.levers import LEVERS
from components.aws.network import Network, NetworkArgs
from components.aws.node_group import NodeGroup, NodeGroupArgs
from components.control_plane import ControlPlaneArgs
from components.managed import PLANES
from components.settings import SettingsError


class ControlPlane(ControlPlaneOnAws):
    """Everything of a stack; done when its nodes are ready and its add-ons run."""

    def __init__(self, name: str, args: ControlPlaneArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, args, opts)
        self.plane = PLANES[self.settings.cloud][self.topology.scenario]
        self.levers = LEVERS[self.topology.scenario]
        self.machine_type = self.checked()

        self.make_network()
        self.make_cluster()
        self.store = self.backups_of_cluster()
        self.observe()

        # Whoever reads the endpoint or the kubeconfig gets one whose cluster has nodes and resolves names.
        made = [self.cluster.endpoint, *[resource.urn for resource in self.ready]]
        self.endpoint = pulumi.Output.all(*made).apply(lambda known: str(known[0]))
        known = pulumi.Output.all(self.endpoint, self.cluster.authority)
        written = known.apply(lambda known: by_aws_cli(self.name, self.settings.region, *known))
        self.kubeconfig = pulumi.Output.secret(written)
        self.backups = self.store.vault_arn
        self.complete()

    def checked(self) -> machine_types.MachineType:
        """The nodes' type, when everything that only AWS can judge is as it should be."""
        try:
            check_administrators(self.settings.administrators)
            return machine_types.of_nodes(self.settings.nodes.type or self.levers.node_type, self.asking)
        except SettingsError as error:
            raise pulumi.RunError(f"stack {self.name}:\n{error}") from None

    def make_network(self) -> None:
        """The key, and the network whose flow logs are encrypted under it."""
        cidr = self.settings.network.cidr
        self.key = self.make_key()
        self.network = Network(
            self.name,
            NetworkArgs(
                region=self.settings.region,
                cidr=str(cidr),
                zones=addresses.plan(cidr, self.topology).zones,
                frugal=not self.levers.private_endpoints,
                has_members=False,
                endpoints=endpoints.EKS,
                key_arn=self.key.arn,
            ),
            opts=self.child,
        )

    def make_cluster(self) -> None:
        """Control plane, nodes and add-ons, in the order in which each finds what it needs."""
        settings, subnets = self.settings, self.network.private_subnets
        self.cluster = Cluster(
            self.name,
            ClusterArgs(
                partition=self.partition,
                vpc_id=self.network.vpc_id,
                network_cidr=str(settings.network.cidr),
                subnets=subnets,
                service_cidr=str(settings.network.service_cidr),
                version=settings.managed_version,
                tier=self.plane.tier,
                levers=self.levers,
                key_arn=self.key.arn,
                public=settings.load_balancer.public,
                client_cidrs=[str(cidr) for cidr in settings.load_balancer.cidrs],
                administrators=settings.administrators,
            ),
            opts=self.child,
        )
        add_ons = AddOns(
            self.name,
            AddOnsArgs(
                cluster_name=self.cluster.cluster_name,
                partition=self.partition,
                zones=len(self.topology.zones),
                container_insights=self.levers.container_insights,
            ),
            opts=self.child,
        )
        self.nodes = NodeGroup(
            f"{self.name}-nodes",
            NodeGroupArgs(
                cluster=self.name,
                cluster_name=self.cluster.cluster_name,
                partition=self.partition,
                subnets=subnets,
                per_zone=settings.nodes.per_zone,
                machine_type=self.machine_type.name,
                architecture=self.machine_type.architecture,
                key_arn=self.key.arn,
                # Without a way out nodes reach neither registry nor API.
                needs=[self.network, *add_ons.before_nodes],
            ),
            opts=self.child,
        )
        self.ready = [self.nodes.made, *add_ons.after(self.nodes.made)]

    def backups_of_cluster(self) -> ClusterBackups:
        return ClusterBackups(
            self.name,
            ClusterBackupsArgs(
                partition=self.partition,
                cluster_arn=self.cluster.arn,
                key_arn=self.key.arn,
                tiers=self.levers.backups,
                locked=self.levers.backups_locked,
                outlives_the_stack=not self.frugal,
            ),
            opts=self.child,
        )

    def observe(self) -> None:
        """Alarms, and the name that moves by one."""
        monitoring = ClusterMonitoring(
            self.name,
            ClusterMonitoringArgs(
                region=self.settings.region,
                cluster_name=self.cluster.cluster_name,
                nodes=self.nodes.count,
                container_insights=self.levers.container_insights,
                vault_name=self.store.vault_name,
                first_backup_tier=self.levers.backups[0],
                key_arn=self.key.arn,
            ),
            opts=self.child,
        )
        failover = self.settings.dns.failover
        if failover:
            DnsFailover(
                self.name,
                DnsFailoverArgs(region=self.settings.region, settings=failover, topic_arn=monitoring.topic_arn),
                opts=self.child,
            )


def by_aws_cli(cluster: str, region: str, endpoint: str, authority: str) -> str:
    """A kubeconfig whose user is whoever the AWS CLI finds itself to be."""
    token = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "aws",
        "args": ["eks", "get-token", "--cluster-name", cluster, "--region", region, "--output", "json"],
        "interactiveMode": "IfAvailable",
    }
    return kubeconfig.render(cluster, endpoint, authority, {"exec": token})
