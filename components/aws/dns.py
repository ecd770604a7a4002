"""The names of a control plane on AWS, for whoever is in its network: a private zone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_aws import route53

TTL_SECONDS: Final = 60
"""Of addresses, which outlive their machines: a name only changes with its stack."""


@dataclass(frozen=True, kw_only=True)
class Alias:
    """A load balancer, by the name and the hosted zone that AWS gave it."""

    dns_name: pulumi.Input[str]
    zone_id: pulumi.Input[str]


@dataclass(frozen=True, kw_only=True)
class DnsArgs:
    """What the zone is made from."""

    domain: str
    vpc_id: pulumi.Input[str]
    api: Alias | str
    """The load balancer, or the address of the only master."""
    members: Mapping[str, str]
    """Name → address."""


class Dns(pulumi.ComponentResource):
    """`api` and every member under `domain`."""

    api: str

    def __init__(self, name: str, args: DnsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kube-ha:aws:Dns", name, None, opts)
        self.name, self.args = name, args
        self.zone = route53.Zone(
            name,
            name=args.domain,
            comment="kube-ha: the API and etcd's members",
            vpcs=[route53.ZoneVpcArgs(vpc_id=args.vpc_id)],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.api = f"api.{args.domain}"
        if isinstance(args.api, Alias):
            self.alias(args.api)
        else:
            self.address("api", args.api)
        for member, address in args.members.items():
            self.address(member, address)
        self.register_outputs({"api": self.api})

    def alias(self, target: Alias) -> None:
        route53.Record(
            f"{self.name}-api",
            zone_id=self.zone.zone_id,
            name=self.api,
            type="A",
            aliases=[
                route53.RecordAliasArgs(name=target.dns_name, zone_id=target.zone_id, evaluate_target_health=False)
            ],
            opts=pulumi.ResourceOptions(parent=self.zone),
        )

    def address(self, host: str, address: str) -> None:
        route53.Record(
            f"{self.name}-{host}",
            zone_id=self.zone.zone_id,
            name=f"{host}.{self.args.domain}",
            type="A",
            ttl=TTL_SECONDS,
            records=[address],
            opts=pulumi.ResourceOptions(parent=self.zone),
        )
