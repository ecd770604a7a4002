"""The network of a control plane on AWS: a VPC with a public and a private subnet per zone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Final

import pulumi
from pulumi_aws import cloudwatch, ec2, iam

from components.aws import policies
from components.aws.addresses import Subnets

FLOW_LOG_DAYS: Final = 30
"""As long as audit logs are kept (components/node/audit.py): who reached what, beside who changed what."""

SUBNET_ROLES: Final = {"public": "kubernetes.io/role/elb", "private": "kubernetes.io/role/internal-elb"}
"""Tags by which the controllers of a cluster find the subnets for load balancers of Services."""


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    """What a network is made from."""

    region: str
    cidr: str
    zones: Mapping[str, Subnets]
    frugal: bool
    """One NAT gateway for all zones and no interface endpoints: cost first."""
    has_members: bool
    """Whether etcd members take addresses by number."""
    endpoints: Sequence[str]
    """Services that machines call. With a private endpoint each, machines work while the way to the internet is cut."""
    key_arn: pulumi.Input[str]


class Network(pulumi.ComponentResource):
    """A VPC whose machines have no public address.

    Who waits for a component waits for its own children only, not for theirs: routes are its own.
    """

    vpc_id: pulumi.Output[str]
    machines_cidr: str
    public_subnets: Mapping[str, pulumi.Output[str]]
    """Zone → id."""
    private_subnets: Mapping[str, pulumi.Output[str]]
    """Zone → id."""
    route_tables: Sequence[pulumi.Output[str]]
    """ARNs of the private subnets' route tables: machines write the routes to their pods there."""
    s3_prefix_list: pulumi.Output[str]
    """The addresses of S3, for security groups."""

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        flow = policies.outline(policies.document(policies.write_logs(policies.NotYet())))
        super().__init__("kube-ha:aws:Network", name, {"policy": flow}, opts)
        self.name, self.args = name, args
        self.child = pulumi.ResourceOptions(parent=self)
        self.vpc = ec2.Vpc(
            name,
            cidr_block=args.cidr,
            enable_dns_support=True,
            enable_dns_hostnames=True,
            tags={"Name": name},
            opts=self.child,
        )
        self.vpc_id, self.machines_cidr = self.vpc.id, args.cidr
        # Whoever forgets to name a security group gets one that lets nothing through.
        ec2.DefaultSecurityGroup(name, vpc_id=self.vpc_id, opts=self.child)
        public = {zone: self.subnet("public", zone, str(ranges.public)) for zone, ranges in args.zones.items()}
        private = {zone: self.subnet("private", zone, str(ranges.private)) for zone, ranges in args.zones.items()}
        if args.has_members:
            for zone, ranges in args.zones.items():
                reserve(name, zone, private[zone].id, ranges.reserved, self.child)
        self.public_subnets = {zone: subnet.id for zone, subnet in public.items()}
        self.private_subnets = {zone: subnet.id for zone, subnet in private.items()}
        self.gateway = ec2.InternetGateway(name, vpc_id=self.vpc_id, tags={"Name": name}, opts=self.child)
        self.routes_outside(public)
        tables = self.routes_inside(public, private)
        self.route_tables = [table.arn for table in tables]
        self.s3_prefix_list = self.s3_endpoint(tables)
        if not args.frugal:
            self.interface_endpoints()
        self.flow_log()
        self.register_outputs({"vpcId": self.vpc_id})

    def subnet(self, kind: str, zone: str, cidr: str) -> ec2.Subnet:
        return ec2.Subnet(
            f"{self.name}-{kind}-{zone}",
            vpc_id=self.vpc_id,
            availability_zone=zone,
            cidr_block=cidr,
            map_public_ip_on_launch=False,
            tags={"Name": f"{self.name}-{kind}-{zone}", SUBNET_ROLES[kind]: "1"},
            opts=pulumi.ResourceOptions(parent=self.vpc),
        )

    def routes_outside(self, public: Mapping[str, ec2.Subnet]) -> None:
        table = self.route_table("public")
        self.default_route("public", table, gateway_id=self.gateway.id)
        for zone, subnet in public.items():
            self.associate(f"public-{zone}", table, subnet)

    def routes_inside(
        self, public: Mapping[str, ec2.Subnet], private: Mapping[str, ec2.Subnet]
    ) -> list[ec2.RouteTable]:
        """A table and a NAT gateway per zone, so that the loss of a zone takes nobody else's way out."""
        zones_with_gateway = list(public)[:1] if self.args.frugal else list(public)
        gateways = [self.nat_gateway(zone, public[zone]) for zone in zones_with_gateway]
        tables = []
        for number, (zone, subnet) in enumerate(private.items()):
            table = self.route_table(f"private-{zone}", {policies.PODS_TAG: "routed"})
            self.default_route(f"private-{zone}", table, nat_gateway_id=gateways[number % len(gateways)].id)
            self.associate(f"private-{zone}", table, subnet)
            tables.append(table)
        return tables

    def nat_gateway(self, zone: str, subnet: ec2.Subnet) -> ec2.NatGateway:
        address = ec2.Eip(f"{self.name}-{zone}", domain="vpc", tags={"Name": f"{self.name}-{zone}"}, opts=self.child)
        return ec2.NatGateway(
            f"{self.name}-{zone}",
            subnet_id=subnet.id,
            allocation_id=address.allocation_id,
            tags={"Name": f"{self.name}-{zone}"},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self.gateway]),
        )

    def route_table(self, name: str, tags: Mapping[str, str] | None = None) -> ec2.RouteTable:
        # Routes are resources of their own: the machines add those of their pods to the same table.
        full = f"{self.name}-{name}"
        return ec2.RouteTable(full, vpc_id=self.vpc_id, tags={"Name": full, **(tags or {})}, opts=self.child)

    def default_route(
        self,
        name: str,
        table: ec2.RouteTable,
        gateway_id: pulumi.Input[str] | None = None,
        nat_gateway_id: pulumi.Input[str] | None = None,
    ) -> None:
        ec2.Route(
            f"{self.name}-{name}",
            route_table_id=table.id,
            destination_cidr_block="0.0.0.0/0",
            gateway_id=gateway_id,
            nat_gateway_id=nat_gateway_id,
            opts=self.child,
        )

    def associate(self, name: str, table: ec2.RouteTable, subnet: ec2.Subnet) -> None:
        ec2.RouteTableAssociation(
            f"{self.name}-{name}",
            route_table_id=table.id,
            subnet_id=subnet.id,
            opts=self.child,
        )

    def s3_endpoint(self, tables: Sequence[ec2.RouteTable]) -> pulumi.Output[str]:
        endpoint = ec2.VpcEndpoint(
            f"{self.name}-s3",
            vpc_id=self.vpc_id,
            service_name=f"com.amazonaws.{self.args.region}.s3",
            vpc_endpoint_type="Gateway",
            route_table_ids=[table.id for table in tables],
            tags={"Name": f"{self.name}-s3"},
            opts=self.child,
        )
        return endpoint.prefix_list_id

    def interface_endpoints(self) -> None:
        group = ec2.SecurityGroup(
            f"{self.name}-endpoints",
            vpc_id=self.vpc_id,
            description="kube-ha: private endpoints of AWS services",
            ingress=[
                ec2.SecurityGroupIngressArgs(
                    protocol="tcp",
                    from_port=443,
                    to_port=443,
                    cidr_blocks=[self.args.cidr],
                    description="the VPC's machines",
                )
            ],
            tags={"Name": f"{self.name}-endpoints"},
            opts=self.child,
        )
        for service in self.args.endpoints:
            ec2.VpcEndpoint(
                f"{self.name}-{service}",
                vpc_id=self.vpc_id,
                service_name=f"com.amazonaws.{self.args.region}.{service}",
                vpc_endpoint_type="Interface",
                private_dns_enabled=True,
                subnet_ids=list(self.private_subnets.values()),
                security_group_ids=[group.id],
                tags={"Name": f"{self.name}-{service}"},
                opts=self.child,
            )

    def flow_log(self) -> None:
        logs = cloudwatch.LogGroup(
            f"{self.name}-flow", retention_in_days=FLOW_LOG_DAYS, kms_key_id=self.args.key_arn, opts=self.child
        )
        role = iam.Role(
            f"{self.name}-flow", assume_role_policy=policies.assumed_by("vpc-flow-logs.amazonaws.com"), opts=self.child
        )
        iam.RolePolicy(
            f"{self.name}-flow",
            role=role.id,
            policy=pulumi.Output.json_dumps(policies.document(policies.write_logs(logs.arn))),
            opts=pulumi.ResourceOptions(parent=role),
        )
        ec2.FlowLog(
            f"{self.name}-flow",
            vpc_id=self.vpc_id,
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_destination=logs.arn,
            iam_role_arn=role.arn,
            # A minute, AWS' shortest: an outage is over within its default of ten.
            max_aggregation_interval=60,
            tags={"Name": self.name},
            opts=self.child,
        )


def reserve(
    name: str, zone: str, subnet_id: pulumi.Input[str], block: IPv4Network, opts: pulumi.ResourceOptions
) -> None:
    """Keep a part of a zone's private subnet for members."""
    ec2.SubnetCidrReservation(
        f"{name}-members-{zone}",
        subnet_id=subnet_id,
        cidr_block=str(block),
        reservation_type="explicit",
        description="kube-ha: etcd members take these by number",
        opts=opts,
    )
