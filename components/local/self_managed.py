"""A self-managed control plane on this machine, with everything that one in a cloud has."""

from collections.abc import Iterable, Mapping

import pulumi

from components import control_plane, machine_groups
from components.control_plane import ControlPlaneArgs
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
from components.pki import Pki, PkiArgs
from providers.local import resources as local
from toolchain import artifacts, cache

READY_SECONDS = 600
"""How long `up` waits for the machines; a cold start takes well under a minute, a roll of all machines several."""


class ControlPlane(control_plane.ControlPlane):
    """Network, keys, bucket, machines, balancers; done when the API answers."""

    def __init__(self, name: str, args: ControlPlaneArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, args, opts)
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

        groups = [*map(self.group, machine_groups.groups(self.topology)), *self.balancer_groups()]
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
        self.backups = self.store.url
        self.complete()

    def uploads(self) -> Mapping[str, Upload]:
        """What a machine fetches, by its key in the bucket: the agent. The image has everything else."""
        return {
            self.libraries_key: Upload(self.libraries.source, self.libraries.sha256),
            self.agent.key: Upload(self.agent.write(cache.root() / "agent"), self.agent.sha256),
        }

    def group(self, group: machine_groups.Group) -> MachineGroup:
        """A group of masters or members at the addresses that are reserved for them."""
        reserved = self.addresses.machines
        return MachineGroup(
            f"{self.name}-{group.name}",
            MachineGroupArgs(
                network=self.network.id,
                role=group.role,
                image=self.image,
                user_data=self.user_data(group.identity(reserved)),
                slots=[Slot(machine=one.name, zone=one.zone, address=reserved[one.name]) for one in group.machines],
                durable=group.durable,
                needs=self.needs,
            ),
            opts=self.child,
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
