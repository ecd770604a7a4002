"""Who may talk to whom on AWS: security groups that name each other, and the table of what they let through.

| from | to | port | for |
|---|---|---|---|
| clients' ranges, machines' network | load balancer | 6443 | the API |
| load balancer | masters | 6443 | the API, and its check of /readyz |
| masters | load balancer | 6443 | controllers and kubelets that go through the endpoint |
| masters | masters | 6443, 10250 | the `kubernetes` service, kubelets |
| masters | the machines' network | 10250 | kubelets of workers |
| pods | masters, and back | all | what is a pod's and what it talks to |
| masters | members | 2379, 2381 | etcd, and the passthrough's check of it |
| members | members | 2379 to 2381 | each other |
| masters, members | masters, members | 9900 | agents ask each other whether a machine may be replaced |
| masters | everywhere | 443 | AWS, identity providers, registries |
| members | endpoints and S3 | 443 | AWS |

Every group also takes and sends ICMP "fragmentation needed": without it connections with large packets hang.
Stacked masters are members too. Nothing listens for SSH.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi_aws import ec2, vpc

from components.node.etcd import CLIENT_PORT, METRICS_PORT
from components.node.health import API_PORT
from components.node.machine import Role

Ports = tuple[int, int] | None
"""First and last; type and code for ICMP; None for all traffic."""

KUBELET: Final = (10250, 10250)
API: Final = (API_PORT, API_PORT)
ETCD_CLIENTS: Final = (CLIENT_PORT, CLIENT_PORT)
ETCD_METRICS: Final = (METRICS_PORT, METRICS_PORT)
ETCD: Final = (CLIENT_PORT, METRICS_PORT)
"""With the peers' port between them."""
STATUS: Final = (9900, 9900)
"""Of the agent (components/node/agent/status.py)."""
HTTPS: Final = (443, 443)
ANYWHERE: Final = "0.0.0.0/0"


@dataclass(frozen=True, kw_only=True)
class SecurityGroupsArgs:
    """What the groups are made from."""

    vpc_id: pulumi.Input[str]
    machines_cidr: str
    pod_cidr: str
    client_cidrs: Sequence[str]
    """Beside the machines' own network."""
    s3_prefix_list: pulumi.Input[str]
    external_etcd: bool
    load_balancer: bool


class SecurityGroups(pulumi.ComponentResource):
    """One group per role, one for the load balancer."""

    masters: pulumi.Output[str]
    members: pulumi.Output[str]
    """The masters' where they carry the members."""
    load_balancer: pulumi.Output[str] | None

    def __init__(self, name: str, args: SecurityGroupsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kube-ha:aws:SecurityGroups", name, None, opts)
        self.name, self.args = name, args
        self.clients = [args.machines_cidr, *args.client_cidrs]
        masters = self.group("masters")
        members = self.group("members") if args.external_etcd else masters
        self.masters, self.members, self.load_balancer = masters.id, members.id, None
        if args.load_balancer:
            self.load_balancer = self.balance(masters)
        else:
            for number, cidr in enumerate(self.clients, 1):
                self.ingress(f"masters-clients-{number}", masters, API, cidr=cidr)
        self.rules_of_masters(masters)
        self.rules_of_etcd(masters, members)
        self.register_outputs({"masters": self.masters, "members": self.members})

    def of_role(self, role: Role) -> pulumi.Output[str]:
        """The group of a role's machines."""
        return self.members if role is Role.MEMBER else self.masters

    def balance(self, masters: ec2.SecurityGroup) -> pulumi.Output[str]:
        balancer = self.group("load-balancer")
        for number, cidr in enumerate(self.clients, 1):
            self.ingress(f"load-balancer-clients-{number}", balancer, API, cidr=cidr)
        self.allow("load-balancer-masters", balancer, masters, API)
        self.egress("masters-load-balancer", masters, API, group=balancer)
        return balancer.id

    def rules_of_masters(self, masters: ec2.SecurityGroup) -> None:
        self.allow("masters-api", masters, masters, API)
        self.allow("masters-kubelet", masters, masters, KUBELET)
        self.egress("masters-workers", masters, KUBELET, cidr=self.args.machines_cidr)
        self.ingress("masters-pods", masters, None, cidr=self.args.pod_cidr)
        self.egress("masters-pods", masters, None, cidr=self.args.pod_cidr)
        self.egress("masters-https", masters, HTTPS, cidr=ANYWHERE)

    def rules_of_etcd(self, masters: ec2.SecurityGroup, members: ec2.SecurityGroup) -> None:
        self.allow("etcd", members, members, ETCD)
        self.allow("status", masters, masters, STATUS)
        if self.args.external_etcd:
            self.allow("status-members", members, members, STATUS)
            self.allow("status-masters-members", masters, members, STATUS)
            self.allow("status-members-masters", members, masters, STATUS)
            self.allow("masters-etcd", masters, members, ETCD_CLIENTS)
            self.allow("masters-etcd-metrics", masters, members, ETCD_METRICS)
            self.egress("members-endpoints", members, HTTPS, cidr=self.args.machines_cidr)
            self.egress("members-s3", members, HTTPS, prefix_list=self.args.s3_prefix_list)

    def group(self, role: str) -> ec2.SecurityGroup:
        name = f"{self.name}-{role}"
        group = ec2.SecurityGroup(
            name,
            vpc_id=self.args.vpc_id,
            description=f"kube-ha: {role} of {self.name}",
            tags={"Name": name},
            opts=pulumi.ResourceOptions(parent=self),
        )
        fragmentation_needed = (3, 4)
        self.ingress(f"{role}-icmp", group, fragmentation_needed, cidr=ANYWHERE, protocol="icmp")
        self.egress(f"{role}-icmp", group, fragmentation_needed, cidr=ANYWHERE, protocol="icmp")
        return group

    def allow(self, name: str, source: ec2.SecurityGroup, target: ec2.SecurityGroup, ports: tuple[int, int]) -> None:
        """Both halves of a way: out of `source` and into `target`."""
        self.egress(name, source, ports, group=target)
        self.ingress(name, target, ports, group=source)

    def ingress(self, name: str, owner: ec2.SecurityGroup, ports: Ports, **peer: Any) -> None:
        first, last = ports or (None, None)
        vpc.SecurityGroupIngressRule(
            f"{self.name}-{name}",
            security_group_id=owner.id,
            from_port=first,
            to_port=last,
            description=name,
            opts=pulumi.ResourceOptions(parent=self),
            **properties(ports, **peer),
        )

    def egress(self, name: str, owner: ec2.SecurityGroup, ports: Ports, **peer: Any) -> None:
        first, last = ports or (None, None)
        vpc.SecurityGroupEgressRule(
            f"{self.name}-{name}",
            security_group_id=owner.id,
            from_port=first,
            to_port=last,
            description=name,
            opts=pulumi.ResourceOptions(parent=self),
            **properties(ports, **peer),
        )


def properties(
    ports: Ports,
    *,
    group: ec2.SecurityGroup | None = None,
    cidr: str | None = None,
    prefix_list: pulumi.Input[str] | None = None,
    protocol: str = "tcp",
) -> dict[str, Any]:
    """The properties of a rule that say who is at its other end; without ports it is for all traffic."""
    return {
        "ip_protocol": protocol if ports else "-1",
        "referenced_security_group_id": group.id if group else None,
        "cidr_ipv4": cidr,
        "prefix_list_id": prefix_list,
    }
