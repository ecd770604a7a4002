"""A self-managed control plane on this machine, with everything that one in a cloud has."""

from collections.abc import Iterable, Mapping

import pulumi

from components.declaration import declaration
from components.local import addresses
from components.local.backups import Backups, BackupsArgs, Upload
from components.local.load_balancer import LoadBalancer, LoadBalancerArgs
from components.local.machines import MachineGroup, MachineGroupArgs, Slot
from components.local.network import Network, NetworkArgs
from components.local.secrets import Secrets, SecretsArgs
from components.machine_document import Cluster, Identity, document
from components.node import bundle, cloud_init
from components.node.health import API_PORT
from components.node.machine import Balancing, Peer, Role
from components.outputs import OUTPUTS, ControlPlaneArgs
from components.pki import Pki, PkiArgs
from providers.local import resources as local
from toolchain import artifacts, cache

READY_SECONDS = 600
"""How long `up` waits for the machines; a cold start takes well under a minute, a roll of all machines several."""


class ControlPlane(pulumi.ComponentResource):
    """Network, keys, bucket, machines, balancers; done when the API answers."""

    def __init__(self, name: str, args: ControlPlaneArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        declared = declaration(args.settings, args.topology)
        super().__init__("kube-ha:local:ControlPlane", name, declared, opts)
        self.name = name
        self.settings, self.topology = args.settings, args.topology
        self.child = pulumi.ResourceOptions(parent=self)
        self.addresses = addresses.plan(self.settings.network.cidr, self.topology)
        self.host = f"{self.addresses.endpoint_address}:{API_PORT}"
        node = built()
        self.image = node.image
        self.libraries = node.named("agent-libraries")
        self.libraries_key = f"artifacts/{self.libraries.sha256}/{self.libraries.name}"
        self.agent = bundle.build()

        self.network = Network(
            name, NetworkArgs(cidr=str(self.settings.network.cidr), zones=self.topology.zones), opts=self.child
        )
        self.pki = Pki(name, PkiArgs(authorities=self.settings.authorities), opts=self.child)
        secrets = Secrets(
            name,
            SecretsArgs(network=self.network.id, values=self.pki.secrets, external_etcd=self.topology.external_etcd),
            opts=self.child,
        )
        self.store = Backups(name, BackupsArgs(network=self.network.id, uploads=self.uploads()), opts=self.child)
        self.needs = [secrets, *self.store.uploads]

        groups = [*self.member_groups(), *self.master_groups(), *self.balancer_groups()]
        ready = local.Readiness(
            name,
            local.ReadinessArgs(
                network=self.network.id,
                machines=[machine for group in groups for machine in group.machines],
                templates={group.name: group.template for group in groups},
                timeout_seconds=READY_SECONDS,
            ),
            # Destroying begins with it: protected, it refuses before a machine or a key is gone, also where nobody
            # previews.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*groups, self.pki], protect=True),
        )

        # Whoever reads the endpoint or the kubeconfig gets one that answers.
        answering = ready.network.apply(lambda _: self.host)
        self.endpoint = pulumi.Output.concat("https://", answering)
        self.kubeconfig = self.pki.kubeconfig(name, answering)
        self.zones = pulumi.Output.from_input(list(self.topology.zones))
        self.masters = pulumi.Output.from_input([master.name for master in self.topology.masters])
        self.members = pulumi.Output.from_input([member.name for member in self.topology.members])
        self.survives = pulumi.Output.from_input(list(self.topology.survives))
        self.backups = self.store.url
        self.register_outputs({output: getattr(self, output) for output in OUTPUTS})

    def uploads(self) -> Mapping[str, Upload]:
        """What a machine fetches, by its key in the bucket: the agent. The image has everything else."""
        return {
            self.libraries_key: Upload(self.libraries.source, self.libraries.sha256),
            self.agent.key: Upload(self.agent.write(cache.root() / "agent"), self.agent.sha256),
        }

    def member_groups(self) -> Iterable[MachineGroup]:
        """External members: a group of one each, since a member's identity outlives its machine."""
        if self.topology.external_etcd:
            for member in self.topology.members:
                yield self.durable_group(Role.MEMBER, member.name, member.zone)

    def master_groups(self) -> Iterable[MachineGroup]:
        """Stacked masters carry a member, so they are groups of one too; others are one group over all zones."""
        if not self.topology.external_etcd:
            for master in self.topology.masters:
                yield self.durable_group(Role.MASTER, master.name, master.zone)
            return
        slots = [
            Slot(machine=master.name, zone=master.zone, address=self.addresses.machines[master.name])
            for master in self.topology.masters
        ]
        yield MachineGroup(f"{self.name}-masters", self.group_args(Identity(role=Role.MASTER), slots), opts=self.child)

    def durable_group(self, role: Role, machine: str, zone: str) -> MachineGroup:
        """A group of one whose machine has a reserved address and a volume that outlives it."""
        address = self.addresses.machines[machine]
        return MachineGroup(
            f"{self.name}-{machine}",
            self.group_args(
                Identity(role=role, name=machine, zone=zone, address=address),
                [Slot(machine=machine, zone=zone, address=address)],
                durable=True,
            ),
            opts=self.child,
        )

    def group_args(self, identity: Identity, slots: list[Slot], *, durable: bool = False) -> MachineGroupArgs:
        return MachineGroupArgs(
            network=self.network.id,
            role=identity.role,
            image=self.image,
            user_data=self.user_data(identity),
            slots=slots,
            durable=durable,
            needs=self.needs,
        )

    def balancer_groups(self) -> Iterable[MachineGroup]:
        """None in development: its only master is the endpoint."""
        if self.addresses.virtual is None:
            return
        balancing = Balancing(
            virtual_address=self.addresses.virtual,
            masters=tuple(
                Peer(name=master.name, zone=master.zone, address=self.addresses.machines[master.name])
                for master in self.topology.masters
            ),
            balancers=tuple(
                Peer(name=balancer.name, zone=balancer.zone, address=balancer.address)
                for balancer in self.addresses.balancers
            ),
        )
        balancer = LoadBalancer(
            f"{self.name}-balancers",
            LoadBalancerArgs(
                network=self.network.id,
                image=self.image,
                balancers=self.addresses.balancers,
                user_data=self.user_data(Identity(role=Role.BALANCER), balancing),
                needs=self.needs,
            ),
            opts=self.child,
        )
        yield balancer.group

    def user_data(self, identity: Identity, balancing: Balancing | None = None) -> pulumi.Output[str]:
        """The cloud-init of a machine; known once the cluster's uid is."""
        agent = cloud_init.AgentSource(
            bundle_key=self.agent.key,
            bundle_sha256=self.agent.sha256,
            libraries_key=self.libraries_key,
            libraries_sha256=self.libraries.sha256,
        )

        def render(uid: str) -> str:
            cluster = Cluster(
                name=self.name,
                uid=uid,
                bucket=self.name,
                endpoint=self.host,
                certificate_names=(self.addresses.endpoint_address,),
                member_addresses=self.addresses.machines,
                settings=self.settings,
                topology=self.topology,
            )
            return cloud_init.render(document(cluster, identity, (), balancing), agent)

        return self.pki.uid.apply(render)


def built() -> artifacts.Artifacts:
    """The machine image and what else the toolchain made.

    Raises:
        RunError: it has not made them yet; says which command does.
    """
    try:
        return artifacts.load()
    except artifacts.MissingArtifactsError as error:
        raise pulumi.RunError(str(error)) from None
