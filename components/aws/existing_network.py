"""A network that is there already: its subnets looked at before anything is made, and used instead of our own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

import pulumi
from pulumi_aws import ec2

from components.aws import addresses, policies
from components.aws.network import reserve
from components.network_settings import ExistingNetworkSettings
from components.settings import Settings, SettingsError


@dataclass(frozen=True)
class Subnet:
    """A private subnet, as AWS describes it."""

    id: str
    range: IPv4Network
    table_id: str
    table_arn: str

    @property
    def reserved(self) -> IPv4Network:
        """Where members have their addresses."""
        return addresses.reserved(self.range)


@dataclass(frozen=True, kw_only=True)
class Found:
    """What AWS says of the network that a stack names."""

    named: ExistingNetworkSettings
    range: IPv4Network
    private: Mapping[str, Subnet]
    """Zone → subnet, of the zones that are used."""

    @property
    def reserved(self) -> Mapping[str, IPv4Network]:
        """Zone → where its members have their addresses."""
        return {zone: subnet.reserved for zone, subnet in self.private.items()}


def look(settings: Settings, named: ExistingNetworkSettings, opts: pulumi.InvokeOptions) -> Found:
    """Ask AWS about the network that the settings name.

    Raises:
        SettingsError: a subnet is in another zone or network than named, or too small; or ranges overlap.
    """
    vpc = IPv4Network(ec2.get_vpc(id=named.vpc, opts=opts).cidr_block)
    for name, other in {"podCidr": settings.network.pod_cidr, "serviceCidr": settings.network.service_cidr}.items():
        if other.overlaps(vpc):
            raise SettingsError(f"kube-ha:network.{name}: {other} overlaps {vpc} of {named.vpc}; choose another.")
    private = {zone: subnet_of(zone, named, opts) for zone in settings.chosen_zones}
    return Found(named=named, range=vpc, private=private)


def subnet_of(zone: str, named: ExistingNetworkSettings, opts: pulumi.InvokeOptions) -> Subnet:
    """A zone's private subnet.

    Raises:
        SettingsError: it is not what the settings say, or too small for members.
    """
    setting = f"kube-ha:network.existing.privateSubnets.{zone}"
    found = ec2.get_subnet(id=named.private_subnets[zone], opts=opts)
    if (found.vpc_id, found.availability_zone) != (named.vpc, zone):
        raise SettingsError(f"{setting}: {found.id} is in {found.availability_zone} of {found.vpc_id}; name another.")
    table = ec2.get_route_table(subnet_id=found.id, opts=opts)
    subnet = Subnet(found.id, IPv4Network(found.cidr_block), table.route_table_id, table.arn)
    try:
        addresses.reserved(subnet.range)
    except ValueError as error:
        raise SettingsError(f"{setting}: {found.id}: {error}.") from None
    return subnet


class ExistingNetwork(pulumi.ComponentResource):
    """What `Network` is, in a network of somebody else: reserves addresses, marks route tables, makes nothing else."""

    vpc_id: pulumi.Output[str]
    machines_cidr: str
    public_subnets: Mapping[str, pulumi.Output[str]]
    private_subnets: Mapping[str, pulumi.Output[str]]
    route_tables: Sequence[pulumi.Output[str]]
    s3_prefix_list: pulumi.Output[str]

    def __init__(self, name: str, region: str, found: Found, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kube-ha:aws:ExistingNetwork", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.vpc_id = pulumi.Output.from_input(found.named.vpc)
        self.machines_cidr = str(found.range)
        self.private_subnets = {zone: pulumi.Output.from_input(subnet.id) for zone, subnet in found.private.items()}
        self.public_subnets = {
            zone: pulumi.Output.from_input(subnet) for zone, subnet in found.named.public_subnets.items()
        }
        tables = {subnet.table_id: subnet.table_arn for subnet in found.private.values()}
        self.route_tables = [pulumi.Output.from_input(arn) for arn in tables.values()]
        prefix_list = ec2.get_prefix_list_output(
            name=f"com.amazonaws.{region}.s3", opts=pulumi.InvokeOutputOptions(parent=self)
        )
        self.s3_prefix_list = prefix_list.id
        for zone, subnet in found.private.items():
            reserve(name, zone, subnet.id, subnet.reserved, child)
        # By these the machines find the tables that they write the routes to their pods into.
        marks = {policies.CLUSTER_TAG: name, policies.PODS_TAG: "routed"}
        for number, table in enumerate(tables, 1):
            for key, value in marks.items():
                ec2.Tag(f"{name}-{key.split(':')[1]}-{number}", resource_id=table, key=key, value=value, opts=child)
        self.register_outputs({"vpcId": self.vpc_id})
