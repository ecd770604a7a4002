"""A self-managed control plane on AWS: network, keys, bucket, machines over zones, one load balancer."""

from collections.abc import Mapping

import pulumi

from components import machine_groups
from components.aws import addresses, endpoints, existing_network, machine_types, policies, user_data
from components.aws.backups import Backups, BackupsArgs
from components.aws.control_plane import ControlPlaneOnAws
from components.aws.dns import Alias, Dns, DnsArgs
from components.aws.identity import Identity as MachineIdentity
from components.aws.identity import IdentityArgs
from components.aws.load_balancer import LoadBalancer, LoadBalancerArgs
from components.aws.machines import Durable, MachineGroup, MachineGroupArgs
from components.aws.monitoring import Monitoring, MonitoringArgs
from components.aws.network import Network, NetworkArgs
from components.aws.secrets import Secrets, SecretsArgs
from components.aws.security_groups import SecurityGroups, SecurityGroupsArgs
from components.aws.workers import Workers, WorkersArgs
from components.control_plane import ControlPlaneArgs
from components.machine_document import Cluster, Identity
from components.node.health import API_PORT
from components.node.machine import Role
from components.node.snapshots import SnapshotKeys
from components.pki import Pki, PkiArgs
from components.self_managed_settings import NetworkPlugin
from components.settings import SettingsError


class ControlPlane(ControlPlaneOnAws):
    """Everything of a stack; done when the load balancer finds its masters ready."""

    def __init__(self, name: str, args: ControlPlaneArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, args, opts)
        self.types = {role: self.machine_type(role) for role in self.roles}
        self.provisions = user_data.provisions()
        self.existing = self.look_at_existing()
        self.members_at = self.addresses_of_members()

        self.pki = Pki(name, PkiArgs(authorities=self.settings.authorities), opts=self.child)
        self.make_stores()
        self.make_network()
        self.make_identities()
        groups = [self.group(group) for group in machine_groups.groups(self.topology)]
        self.monitor(groups)

        # Whoever reads the endpoint or the kubeconfig gets one that answers.
        host = pulumi.Output.all(self.host, *[group.group_name for group in groups]).apply(lambda args: str(args[0]))
        self.endpoint = pulumi.Output.concat("https://", host)
        self.kubeconfig = self.pki.kubeconfig(name, host)
        self.backups = self.store.url
        self.complete()

    @property
    def routes_pods(self) -> bool:
        """Whether masters keep the routes to pods."""
        return self.settings.network_plugin is NetworkPlugin.REFERENCE

    @property
    def roles(self) -> tuple[Role, ...]:
        return (Role.MASTER, Role.MEMBER) if self.topology.external_etcd else (Role.MASTER,)

    def machine_type(self, role: Role) -> machine_types.MachineType:
        try:
            return machine_types.of_role(self.settings.machines, self.topology.scenario, role, self.asking)
        except SettingsError as error:
            raise pulumi.RunError(f"stack {self.name}:\n{error}") from None

    def look_at_existing(self) -> existing_network.Found | None:
        """The network that is there already, where the stack names one."""
        named = self.settings.network.existing
        if named is None:
            return None
        try:
            return existing_network.look(self.settings, named, self.asking)
        except SettingsError as error:
            raise pulumi.RunError(f"stack {self.name}:\n{error}") from None

    def addresses_of_members(self) -> Mapping[str, str]:
        """Member → the address reserved for it."""
        if self.existing is not None:
            return addresses.members(self.existing.reserved, self.topology)
        return addresses.plan(self.settings.network.cidr, self.topology).members

    def make_stores(self) -> None:
        """The key, and what is encrypted under it: secrets and the bucket."""
        self.key = self.make_key()
        self.secrets = Secrets(
            self.name,
            SecretsArgs(
                uid=self.pki.uid,
                values=self.pki.secrets,
                key_arn=self.key.arn,
                external_etcd=self.topology.external_etcd,
            ),
            opts=self.child,
        )
        self.store = Backups(
            self.name,
            BackupsArgs(
                uploads=self.provisions.uploads,
                key_arn=self.key.arn,
                snapshots=self.topology.snapshots,
                outlives_the_stack=not self.frugal,
            ),
            opts=self.child,
        )

    def make_network(self) -> None:
        """The network, who may talk to whom in it, the load balancer, and names."""
        settings, topology = self.settings, self.topology
        self.network = self.own_network() if self.existing is None else self.named_network(self.existing)
        self.security_groups = SecurityGroups(
            self.name,
            SecurityGroupsArgs(
                vpc_id=self.network.vpc_id,
                machines_cidr=self.network.machines_cidr,
                pod_cidr=str(settings.network.pod_cidr),
                client_cidrs=[str(cidr) for cidr in settings.load_balancer.cidrs],
                s3_prefix_list=self.network.s3_prefix_list,
                external_etcd=topology.external_etcd,
                load_balancer=topology.load_balancer,
            ),
            opts=self.child,
        )
        self.balancer = self.load_balancer()
        only_master = self.members_at[topology.members[0].name]
        api = Alias(dns_name=self.balancer.dns_name, zone_id=self.balancer.zone_id) if self.balancer else only_master
        self.dns = Dns(
            self.name,
            DnsArgs(
                domain=f"{self.name}.kube-ha.internal",
                vpc_id=self.network.vpc_id,
                api=api,
                members=self.members_at,
            ),
            opts=self.child,
        )
        address = self.balancer.dns_name if self.balancer else pulumi.Output.from_input(only_master)
        self.host = pulumi.Output.concat(address, f":{API_PORT}")

    def own_network(self) -> Network:
        cidr = self.settings.network.cidr
        return Network(
            self.name,
            NetworkArgs(
                region=self.settings.region,
                cidr=str(cidr),
                zones=addresses.plan(cidr, self.topology).zones,
                frugal=self.frugal,
                has_members=True,
                endpoints=endpoints.SELF_MANAGED,
                key_arn=self.key.arn,
            ),
            opts=self.child,
        )

    def named_network(self, found: existing_network.Found) -> existing_network.ExistingNetwork:
        return existing_network.ExistingNetwork(self.name, self.settings.region, found, opts=self.child)

    def load_balancer(self) -> LoadBalancer | None:
        if self.security_groups.load_balancer is None:
            return None
        public = self.settings.load_balancer.public
        subnets = self.network.public_subnets if public else self.network.private_subnets
        return LoadBalancer(
            self.name,
            LoadBalancerArgs(
                vpc_id=self.network.vpc_id,
                subnets=list(subnets.values()),
                security_group=self.security_groups.load_balancer,
                public=public,
            ),
            opts=self.child,
        )

    def make_identities(self) -> None:
        self.workers = Workers(
            self.name,
            WorkersArgs(uid=self.pki.uid, region=self.settings.region, key_arn=self.key.arn, bucket_arn=self.store.arn),
            opts=self.child,
        )
        self.identities = {role: self.identity(role) for role in self.roles}

    def identity(self, role: Role) -> MachineIdentity:
        about = policies.Machine(
            partition=self.partition,
            region=self.settings.region,
            account=self.account,
            cluster=self.name,
            bucket_arn=self.store.arn,
            key_arn=self.key.arn,
            secret_arns=self.secrets.readable[role],
            carries_members=role is Role.MEMBER or not self.topology.external_etcd,
            runs_controllers=role is Role.MASTER,
            worker_token_arn=self.workers.token_arn if role is Role.MASTER else None,
            route_table_arns=self.network.route_tables if role is Role.MASTER and self.routes_pods else (),
        )
        return MachineIdentity(f"{self.name}-{role}", IdentityArgs(policy=policies.machine(about)), opts=self.child)

    def group(self, group: machine_groups.Group) -> MachineGroup:
        """A group of masters or members: of one in its zone where it is durable, else over all zones."""
        role, durable = group.role, None
        subnets = self.network.private_subnets
        if group.durable:
            (machine,) = group.machines
            durable = Durable(machine=machine.name, zone=machine.zone)
            subnets = {machine.zone: subnets[machine.zone]}
        return MachineGroup(
            f"{self.name}-{group.name}",
            MachineGroupArgs(
                cluster=self.name,
                uid=self.pki.uid,
                role=role,
                count=len(group.machines),
                subnets=list(subnets.values()),
                machine_type=self.types[role].name,
                image=self.settings.machines.image or machine_types.newest_image(self.types[role], self.asking),
                image_is_chosen=self.settings.machines.image is not None,
                user_data=self.user_data(group.identity(self.members_at)),
                instance_profile_arn=self.identities[role].instance_profile_arn,
                security_group=self.security_groups.of_role(role),
                key_arn=self.key.arn,
                # A machine that boots before its secrets and its way out are there would begin with refusals.
                needs=[self.secrets, self.store, self.network, self.security_groups],
                target_groups=[self.balancer.target_group_arn] if self.balancer and role is Role.MASTER else [],
                durable=durable,
            ),
            opts=self.child,
        )

    def user_data(self, identity: Identity) -> pulumi.Output[str]:
        """The cloud-init of a machine; known once the cluster's uid, its bucket and its endpoint are."""

        def render(known: list[str]) -> str:
            uid, bucket, host = known
            cluster = Cluster(
                name=self.name,
                uid=uid,
                bucket=bucket,
                endpoint=host,
                certificate_names=(host.rsplit(":", 1)[0], self.dns.api),
                member_addresses=self.members_at,
                settings=self.settings,
                topology=self.topology,
            )
            return self.provisions.user_data(cluster, identity)

        return pulumi.Output.all(self.pki.uid, self.store.bucket, self.host).apply(render)

    def monitor(self, groups: list[MachineGroup]) -> None:
        Monitoring(
            self.name,
            MonitoringArgs(
                region=self.settings.region,
                topology=self.topology,
                groups=groups,
                load_balancer=self.balancer,
                bucket=self.store.bucket,
                snapshots_prefix=self.pki.uid.apply(snapshots_alone),
                key_arn=self.key.arn,
            ),
            opts=self.child,
        )


def snapshots_alone(uid: str) -> str:
    """The prefix of snapshots in the bucket, whose names begin with their year: the locks beside them are written again
    with every attempt, also with those that fail."""
    return f"{SnapshotKeys(uid).prefix}2"
