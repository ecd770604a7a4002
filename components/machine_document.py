"""From settings and topology to the machine documents that every cloud's user data carries. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from components.authority_settings import AuthoritySettings
from components.node.machine import (
    Artifact,
    Authorities,
    Balancing,
    Etcd,
    Kubernetes,
    Machine,
    Oidc,
    Peer,
    Retention,
    Role,
    Snapshots,
)
from components.scenarios import SnapshotPlan
from components.self_managed_settings import NetworkPlugin
from components.settings import Settings
from components.topology import Topology


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """What all machines of a control plane are told alike."""

    name: str
    """Of the stack."""
    uid: str
    bucket: str
    endpoint: str
    """host:port of the API."""
    certificate_names: tuple[str, ...]
    """Names and addresses under which clients reach the API server, beside each master's own."""
    member_addresses: Mapping[str, str]
    """Member name → the address reserved for it."""
    settings: Settings
    topology: Topology


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who a machine is. A machine of a group of many leaves `name`, `zone` and `address` to its cloud: empty."""

    role: Role
    name: str = ""
    zone: str = ""
    address: str = ""


def document(
    cluster: Cluster, identity: Identity, artifacts: Iterable[Artifact], balancing: Balancing | None = None
) -> Machine:
    """The document of one machine, or of all machines of a group."""
    settings, topology = cluster.settings, cluster.topology
    return Machine(
        cloud=settings.cloud,
        cluster=cluster.name,
        uid=cluster.uid,
        bucket=cluster.bucket,
        role=identity.role,
        name=identity.name,
        zone=identity.zone,
        address=identity.address,
        artifacts=tuple(artifacts),
        etcd=Etcd(
            members=tuple(
                Peer(name=member.name, zone=member.zone, address=cluster.member_addresses[member.name])
                for member in topology.members
            ),
            heartbeat_ms=settings.etcd.heartbeat_ms,
            election_ms=settings.etcd.election_ms,
        ),
        kubernetes=Kubernetes(
            version=f"v{settings.kubernetes_version}",
            endpoint=cluster.endpoint,
            pod_cidr=str(settings.network.pod_cidr),
            service_cidr=str(settings.network.service_cidr),
            masters=len(topology.masters),
            certificate_names=cluster.certificate_names,
            zones=topology.zones,
            pod_network=settings.network_plugin is NetworkPlugin.REFERENCE,
            oidc=oidc(settings),
        ),
        authorities=authorities(settings, identity),
        balancing=balancing,
        snapshots=snapshots(topology.snapshots),
    )


def authorities(settings: Settings, identity: Identity) -> Authorities:
    """Those of the settings. A balancer holds no certificate, so a rotation leaves it alone."""
    given = AuthoritySettings() if identity.role is Role.BALANCER else settings.authorities
    return Authorities(signing=given.signing, trusted=given.trusted)


def oidc(settings: Settings) -> Oidc | None:
    """The users' identity provider, as the agent reads it."""
    given = settings.authentication.oidc
    return None if given is None else Oidc.model_validate(given.model_dump())


def snapshots(plan: SnapshotPlan) -> Snapshots:
    """The scenario's snapshot plan, in seconds."""
    return Snapshots(
        interval_seconds=int(plan.interval.total_seconds()),
        keep=tuple(
            Retention(every_seconds=int(tier.every.total_seconds()), for_seconds=int(tier.keep.total_seconds()))
            for tier in plan.tiers
        ),
        locked=plan.locked,
    )
