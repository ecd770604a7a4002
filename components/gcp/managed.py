"""A managed control plane on Google Cloud: GKE with the levers that the scenario asks for."""

from collections.abc import Sequence
from ipaddress import IPv4Network
from typing import Final

import pulumi
import pulumi_gcp as gcp

from components import control_plane
from components.clouds import Cloud
from components.control_plane import ControlPlaneArgs
from components.gcp import addresses, kubeconfig
from components.gcp.backups import FAR_REGIONS, Backups, BackupsArgs, Store
from components.gcp.cluster import Cluster, ClusterArgs
from components.gcp.identity import Identity, IdentityArgs, check_administrators
from components.gcp.key import Key, KeyArgs
from components.gcp.levers import LEVERS
from components.gcp.monitoring import Monitoring, MonitoringArgs
from components.gcp.network import Network, NetworkArgs
from components.gcp.node_pool import NodePool, NodePoolArgs
from components.gcp.services import Services, ServicesArgs
from components.managed import PLANES
from components.scenarios import Scenario
from components.settings import Settings, SettingsError

BACKUP: Final = "gkebackup"
ENCRYPTERS: Final = ("container", "compute", BACKUP)
"""APIs that encrypt under the stack's key: the cluster's secrets, disks, backups."""

CLUSTER_LABEL: Final = "kube-ha-cluster"

SYSTEM_MACHINES: Final = "e2-standard-2"


class ControlPlane(control_plane.ControlPlane):
    """Everything of a stack."""

    def __init__(self, name: str, args: ControlPlaneArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        try:
            self.project = project()
            check_administrators(args.settings.administrators)
        except SettingsError as error:
            raise pulumi.RunError(f"stack {name}:\n{error}") from None
        self.labels = {**args.settings.tags, CLUSTER_LABEL: name}
        provider = gcp.Provider(name, project=self.project, region=args.settings.region, default_labels=self.labels)
        ours = pulumi.ResourceOptions(providers={"gcp": provider})
        super().__init__(name, args, pulumi.ResourceOptions.merge(opts, ours))
        self.levers = LEVERS[self.settings.scenario]
        self.frugal = self.settings.scenario is Scenario.DEVELOPMENT
        regional = PLANES[Cloud.GCP][self.settings.scenario].tier == "regional"
        self.location = self.settings.region if regional else self.topology.zones[0]
        self.node_locations = self.topology.zones if regional else self.topology.zones[1:]

        self.services = Services(name, ServicesArgs(project=self.project), opts=self.child)
        self.after_services = pulumi.ResourceOptions(parent=self, depends_on=[self.services])
        self.network = self.make_network()
        self.key = self.make_key(name, self.settings.region, ENCRYPTERS)
        self.identity = Identity(
            name,
            IdentityArgs(project=self.project, administrators=self.settings.administrators),
            opts=self.after_services,
        )
        self.cluster = self.make_cluster()
        self.make_nodes()
        plans = self.make_backups()
        self.monitor()

        self.endpoint = pulumi.Output.concat("https://", self.cluster.host)
        rendered = pulumi.Output.all(self.endpoint, self.cluster.authority).apply(
            lambda known: kubeconfig.render(name, *known)
        )
        self.kubeconfig = pulumi.Output.secret(rendered)
        self.backups = pulumi.Output.all(*plans.plans.values()).apply(", ".join)
        self.complete()

    def make_network(self) -> Network:
        network = self.settings.network
        return Network(
            self.name,
            NetworkArgs(
                region=self.settings.region,
                addresses=addresses.plan(network.cidr),
                pod_cidr=str(network.pod_cidr),
                service_cidr=str(network.service_cidr),
                flow_logs=self.levers.flow_logs,
            ),
            opts=self.after_services,
        )

    def make_key(self, name: str, region: str, apis: Sequence[str]) -> Key:
        users = {api: self.services.agent(api) for api in apis}
        arguments = KeyArgs(region=region, users=users, outlives_the_stack=not self.frugal)
        return Key(name, arguments, opts=self.after_services)

    def make_cluster(self) -> Cluster:
        return Cluster(
            self.name,
            ClusterArgs(
                project=self.project,
                location=self.location,
                node_locations=self.node_locations,
                version=self.settings.managed_version,
                levers=self.levers,
                network=self.network,
                key_id=self.key.id,
                node_account=self.identity.email,
                public=self.settings.load_balancer.public,
                clients=clients(self.settings),
                labels=self.labels,
            ),
            opts=self.child,
        )

    def make_nodes(self) -> None:
        """Nodes for ordinary workloads and, where the scenario asks for it, for GKE's own add-ons."""
        nodes = self.settings.nodes
        self.pool("nodes", nodes.type or self.levers.machine_type, nodes.per_zone, system=False)
        if self.levers.system_nodes:
            self.pool("system", SYSTEM_MACHINES, 1, system=True)

    def pool(self, use: str, machine_type: str, per_zone: int, *, system: bool) -> None:
        NodePool(
            f"{self.name}-{use}",
            NodePoolArgs(
                project=self.project,
                cluster=self.cluster.name,
                location=self.location,
                zones=self.topology.zones,
                per_zone=per_zone,
                machine_type=machine_type,
                spot=self.levers.spot,
                key_id=self.key.id if self.levers.disks_under_own_key else None,
                node_account=self.identity.email,
                labels=self.labels,
                system=system,
            ),
            opts=self.child,
        )

    def make_backups(self) -> Backups:
        """Plans in the cluster's region, and in another where the scenario outlives a region."""
        near = Store(region=self.settings.region, key_id=self.key.id)
        stores = {tier.name: near for tier in self.levers.backups}
        if any(tier.far for tier in self.levers.backups):
            region = FAR_REGIONS[self.settings.region]
            far = Store(region=region, key_id=self.make_key(f"{self.name}-far", region, (BACKUP,)).id)
            stores.update({tier.name: far for tier in self.levers.backups if tier.far})
        return Backups(
            self.name,
            BackupsArgs(
                project=self.project,
                cluster_id=self.cluster.id,
                tiers=self.levers.backups,
                stores=stores,
                outlives_the_stack=not self.frugal,
            ),
            opts=self.child,
        )

    def monitor(self) -> None:
        pools = 2 if self.levers.system_nodes else 1
        Monitoring(
            self.name,
            MonitoringArgs(
                project=self.project,
                cluster=self.cluster.name,
                location=self.location,
                nodes=len(self.topology.zones) * (self.settings.nodes.per_zone + pools - 1),
                metrics=self.levers.control_plane_metrics,
                notifier=self.services.agent("monitoring"),
                labels=self.labels,
            ),
            opts=self.after_services,
        )


def project() -> str:
    """The project of a stack: its own setting, or the environment's, as every program for Google Cloud has it.

    Raises:
        SettingsError: nobody said.
    """
    said = gcp.config.project
    if not said:
        raise SettingsError(
            "gcp:project: missing; it has no default. Set it with `pulumi config set gcp:project <id>`, or "
            "GOOGLE_PROJECT in the environment."
        )
    return str(said)


def clients(settings: Settings) -> dict[str, str]:
    """Who may connect to the API, by a name that says why: the stack's own network, and whom it names."""
    ranges: dict[str, IPv4Network] = {"network": settings.network.cidr}
    ranges.update({f"client-{number}": cidr for number, cidr in enumerate(settings.load_balancer.cidrs, 1)})
    return {name: str(cidr) for name, cidr in ranges.items()}
