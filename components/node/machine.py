"""The machine document: what a machine is, in one file without a secret.

The program renders it into user data; cloud-init writes it to `/etc/kube-ha/machine.json`; the agent reads it. Both
sides use the classes of this module, so a document that the program can write is one that the agent can read.
"""

from enum import StrEnum
from pathlib import Path
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, model_validator

MACHINE_FILE: Final = Path("/etc/kube-ha/machine.json")


class Role(StrEnum):
    """What a machine is for."""

    MASTER = "master"
    MEMBER = "member"
    BALANCER = "balancer"


class Document(BaseModel):
    """Base of everything in the document: immutable, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Peer(Document):
    """A machine that others need to find: an etcd member, a master behind a balancer, a balancer."""

    name: str
    zone: str
    address: str
    """IPv4 address, without prefix length."""


class Artifact(Document):
    """A file that the agent makes sure is there before it is used."""

    name: str
    key: str
    """Key in the stack's bucket."""
    sha256: str
    path: str
    """Absolute path on the machine."""
    executable: bool = False


class Etcd(Document):
    """The etcd cluster, as every machine that talks to it or is part of it knows it."""

    members: tuple[Peer, ...]
    heartbeat_ms: int
    election_ms: int
    quota_bytes: int = 8 * 1024**3

    def member(self, name: str) -> Peer | None:
        """The member called `name`, or None."""
        return next((member for member in self.members if member.name == name), None)


class Kubernetes(Document):
    """What kubeadm's configuration is rendered from."""

    version: str
    """With the leading v, as kubeadm writes it: v1.37.2."""
    endpoint: str
    """host:port that clients use: the load balancer, or the only master."""
    pod_cidr: str
    service_cidr: str
    dns_domain: str = "cluster.local"
    masters: int
    """How many masters the control plane has."""
    certificate_names: tuple[str, ...] = ()
    """Names and addresses in the API server's certificate beyond its own."""
    zones: tuple[str, ...]
    pod_network: bool = True
    """Whether agents make the pod network, by the reference plugins; if not, a plugin of the user's does."""
    oidc: "Oidc | None" = None


class Oidc(Document):
    """Users' identity provider (an AuthenticationConfiguration's jwt entry)."""

    issuer_url: str
    client_id: str
    username_claim: str = "sub"
    groups_claim: str | None = None


class Authorities(Document):
    """Which generations of the certificate authorities this machine was started with. It changes with a rotation, so
    that machines take the new ones by being replaced, one at a time: running ones keep theirs."""

    signing: int = 1
    trusted: tuple[int, ...] = (1,)


class Balancing(Document):
    """What a balancer balances, and with whom it shares the virtual address."""

    virtual_address: str
    """IPv4 address with prefix length."""
    masters: tuple[Peer, ...]
    balancers: tuple[Peer, ...]


class Snapshots(Document):
    """When etcd is snapshotted and how long a snapshot is kept; the first tier's interval is the schedule."""

    interval_seconds: int
    keep: tuple["Retention", ...]
    locked: bool
    """Whether each snapshot is locked against deletion for its own life."""


class Retention(Document):
    """Keep one snapshot per `every_seconds` for `for_seconds`."""

    every_seconds: int
    for_seconds: int


class Machine(Document):
    """The document."""

    cloud: str
    cluster: str
    """Name of the stack: it names things for people."""
    uid: str
    """Random identity of the cluster, kept in the stack's state: it names things in the object store."""
    bucket: str
    role: Role
    name: str
    """Name of the machine and, where it carries one, of its etcd member. Empty: the cloud's instance says it."""
    zone: str
    """Empty: the cloud's instance says it."""
    address: str
    """Reserved IPv4 address that the machine takes. Empty: whatever the cloud gave it."""
    provider_id: str = ""
    """By which the cloud's controller manager finds the machine of a Node; the cloud's instance says it. Empty: the
    cloud has none."""
    artifacts: tuple[Artifact, ...] = ()
    etcd: Etcd
    kubernetes: Kubernetes
    authorities: Authorities = Authorities()
    balancing: Balancing | None = None
    snapshots: Snapshots

    @property
    def carries_member(self) -> bool:
        """Whether an etcd member lives on this machine."""
        return self.role is not Role.BALANCER and self.etcd.member(self.name) is not None

    @model_validator(mode="after")
    def balancers_know_what_they_balance(self) -> Self:
        """A balancer without masters would answer for nobody."""
        if self.role is Role.BALANCER and self.balancing is None:
            raise ValueError("a balancer needs `balancing`")
        return self


Kubernetes.model_rebuild()
Snapshots.model_rebuild()
