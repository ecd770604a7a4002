"""Which groups the machines of a self-managed control plane are in, in every cloud. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from components.machine_document import Identity
from components.node.machine import Role
from components.topology import Master, Member, Topology


@dataclass(frozen=True, kw_only=True)
class Group:
    """Machines that are made and replaced from one template."""

    name: str
    role: Role
    machines: Sequence[Master | Member]
    durable: bool
    """Whether an etcd member lives there: a group of exactly one, whose address and volume outlive its machine, since a
    member's identity does."""

    def identity(self, addresses: Mapping[str, str]) -> Identity:
        """Who its machines are, as far as they are alike; `addresses` are those reserved for machines, by name."""
        if not self.durable:
            return Identity(role=self.role)
        (machine,) = self.machines
        return Identity(role=self.role, name=machine.name, zone=machine.zone, address=addresses[machine.name])


def groups(topology: Topology) -> Sequence[Group]:
    """Members, or masters that carry one, a group each; masters without data are one group over all zones."""
    if not topology.external_etcd:
        return [alone(Role.MASTER, master) for master in topology.masters]
    masters = Group(name="masters", role=Role.MASTER, machines=topology.masters, durable=False)
    return [*(alone(Role.MEMBER, member) for member in topology.members), masters]


def alone(role: Role, machine: Master | Member) -> Group:
    """A group of one."""
    return Group(name=machine.name, role=role, machines=[machine], durable=True)
