"""VPCs and what is in them, by EC2's requests."""

import hashlib
from typing import Any, Final

from providers.aws.connection import Aws
from providers.aws.kind import Kind, Made, Properties, Request, names, pick, tag_specification


def make_vpc(aws: Aws, request: Request) -> Made:
    given = request.inputs
    vpc = aws("ec2", "create_vpc", **pick(given, "cidrBlock"), TagSpecifications=tag_specification("vpc", request.tags))
    identity = vpc["Vpc"]["VpcId"]
    for name in ("enableDnsSupport", "enableDnsHostnames"):
        if name in given:
            attribute = {name[0].upper() + name[1:]: {"Value": given[name]}}
            aws("ec2", "modify_vpc_attribute", VpcId=identity, **attribute)
    default = aws("ec2", "describe_security_groups", Filters=[{"Name": "vpc-id", "Values": [identity]}])
    return Made(
        identity,
        {
            "arn": arn(aws, f"vpc/{identity}"),
            "defaultSecurityGroupId": default["SecurityGroups"][0]["GroupId"],
        },
    )


def make_subnet(aws: Aws, request: Request) -> Made:
    given = request.inputs
    in_region(aws, given["availabilityZone"])
    subnet = aws(
        "ec2",
        "create_subnet",
        **pick(given, "vpcId cidrBlock availabilityZone"),
        TagSpecifications=tag_specification("subnet", request.tags),
    )["Subnet"]
    identity = subnet["SubnetId"]
    public = {"Value": bool(given.get("mapPublicIpOnLaunch"))}
    aws("ec2", "modify_subnet_attribute", SubnetId=identity, MapPublicIpOnLaunch=public)
    return Made(identity, {"arn": arn(aws, f"subnet/{identity}"), "availabilityZoneId": subnet["AvailabilityZoneId"]})


def make_reservation(aws: Aws, request: Request) -> Made:
    given = request.inputs
    made = aws(
        "ec2",
        "create_subnet_cidr_reservation",
        Cidr=given["cidrBlock"],
        **pick(given, "subnetId reservationType description"),
    )
    return Made(made["SubnetCidrReservation"]["SubnetCidrReservationId"])


def find_reservation(aws: Aws, identity: str, state: Properties) -> Any:
    found = aws("ec2", "get_subnet_cidr_reservations", SubnetId=state["subnetId"])
    return [one for one in found["SubnetIpv4CidrReservations"] if one["SubnetCidrReservationId"] == identity]


def make_gateway(aws: Aws, request: Request) -> Made:
    tags = tag_specification("internet-gateway", request.tags)
    identity = aws("ec2", "create_internet_gateway", TagSpecifications=tags)["InternetGateway"]["InternetGatewayId"]
    aws("ec2", "attach_internet_gateway", InternetGatewayId=identity, VpcId=request.inputs["vpcId"])
    return Made(identity, {"arn": arn(aws, f"internet-gateway/{identity}")})


def remove_gateway(aws: Aws, identity: str, state: Properties) -> None:
    aws("ec2", "detach_internet_gateway", InternetGatewayId=identity, VpcId=state["vpcId"])
    aws("ec2", "delete_internet_gateway", InternetGatewayId=identity)


def make_address(aws: Aws, request: Request) -> Made:
    tags = tag_specification("elastic-ip", request.tags)
    made = aws("ec2", "allocate_address", **pick(request.inputs, "domain"), TagSpecifications=tags)
    return Made(made["AllocationId"], {"allocationId": made["AllocationId"], "publicIp": made["PublicIp"]})


def make_nat(aws: Aws, request: Request) -> Made:
    subnet = aws("ec2", "describe_subnets", SubnetIds=[request.inputs["subnetId"]])["Subnets"][0]
    attached = [{"Name": "attachment.vpc-id", "Values": [subnet["VpcId"]]}]
    if not aws("ec2", "describe_internet_gateways", Filters=attached)["InternetGateways"]:
        raise ValueError(f"subnetId: {subnet['VpcId']} has no internet gateway attached (Gateway.NotAttached)")
    made = aws(
        "ec2",
        "create_nat_gateway",
        **pick(request.inputs, "subnetId allocationId"),
        TagSpecifications=tag_specification("natgateway", request.tags),
    )
    return Made(made["NatGateway"]["NatGatewayId"])


def make_table(aws: Aws, request: Request) -> Made:
    tags = tag_specification("route-table", request.tags)
    made = aws("ec2", "create_route_table", **pick(request.inputs, "vpcId"), TagSpecifications=tags)
    identity = made["RouteTable"]["RouteTableId"]
    return Made(identity, {"arn": arn(aws, f"route-table/{identity}")})


def make_route(aws: Aws, request: Request) -> Made:
    given = request.inputs
    aws("ec2", "create_route", **pick(given, "routeTableId destinationCidrBlock gatewayId natGatewayId"))
    digest = hashlib.sha256(given["destinationCidrBlock"].encode()).hexdigest()[:8]
    return Made(f"r-{given['routeTableId']}{digest}")


def remove_route(aws: Aws, identity: str, state: Properties) -> None:
    aws("ec2", "delete_route", **pick(state, "routeTableId destinationCidrBlock"))


def make_tag(aws: Aws, request: Request) -> Made:
    given = request.inputs
    aws("ec2", "create_tags", Resources=[given["resourceId"]], Tags=[{"Key": given["key"], "Value": given["value"]}])
    return Made(f"{given['resourceId']},{given['key']}")


def find_tag(aws: Aws, identity: str, state: Properties) -> Any:
    wanted = {"resource-id": state["resourceId"], "key": state["key"], "value": state["value"]}
    return aws("ec2", "describe_tags", Filters=[{"Name": name, "Values": [value]} for name, value in wanted.items()])[
        "Tags"
    ]


def make_association(aws: Aws, request: Request) -> Made:
    return Made(aws("ec2", "associate_route_table", **pick(request.inputs, "routeTableId subnetId"))["AssociationId"])


def make_endpoint(aws: Aws, request: Request) -> Made:
    given = request.inputs
    made = aws(
        "ec2",
        "create_vpc_endpoint",
        **pick(given, "vpcId serviceName vpcEndpointType privateDnsEnabled routeTableIds subnetIds securityGroupIds"),
        TagSpecifications=tag_specification("vpc-endpoint", request.tags),
    )["VpcEndpoint"]
    outputs = {"arn": arn(aws, f"vpc-endpoint/{made['VpcEndpointId']}")}
    if given["vpcEndpointType"] == "Gateway":
        lists = aws("ec2", "describe_managed_prefix_lists")["PrefixLists"]
        outputs["prefixListId"] = next(
            one["PrefixListId"] for one in lists if one["PrefixListName"] == given["serviceName"]
        )
    return Made(made["VpcEndpointId"], outputs)


def make_flow_log(aws: Aws, request: Request) -> Made:
    given = request.inputs
    made = aws(
        "ec2",
        "create_flow_logs",
        ResourceIds=[given["vpcId"]],
        ResourceType="VPC",
        DeliverLogsPermissionArn=given["iamRoleArn"],
        **pick(given, "trafficType logDestinationType logDestination maxAggregationInterval"),
        TagSpecifications=tag_specification("vpc-flow-log", request.tags),
    )
    if made.get("Unsuccessful"):
        raise ValueError(made["Unsuccessful"][0]["Error"]["Message"])
    return Made(made["FlowLogIds"][0])


def arn(aws: Aws, resource: str) -> str:
    """The name of an EC2 resource all over AWS."""
    return f"arn:aws:ec2:{aws.region}:{aws.account}:{resource}"


def in_region(aws: Aws, zone: str) -> None:
    """Refuse a zone that the region lacks, as AWS does and its emulator does not."""
    if zone not in aws.zones:
        raise ValueError(f"availabilityZone: got {zone!r}; accepted: {', '.join(aws.zones)}")


KINDS: Final = {
    "aws:ec2/vpc:Vpc": Kind(
        inputs=names("cidrBlock enableDnsSupport enableDnsHostnames tags"),
        create=make_vpc,
        find=lambda aws, identity, state: aws("ec2", "describe_vpcs", VpcIds=[identity])["Vpcs"],
        delete=lambda aws, identity, state: aws("ec2", "delete_vpc", VpcId=identity),
    ),
    "aws:ec2/subnet:Subnet": Kind(
        inputs=names("vpcId cidrBlock availabilityZone mapPublicIpOnLaunch tags"),
        create=make_subnet,
        find=lambda aws, identity, state: aws("ec2", "describe_subnets", SubnetIds=[identity])["Subnets"],
        delete=lambda aws, identity, state: aws("ec2", "delete_subnet", SubnetId=identity),
    ),
    "aws:ec2/subnetCidrReservation:SubnetCidrReservation": Kind(
        inputs=names("subnetId cidrBlock reservationType description"),
        create=make_reservation,
        find=find_reservation,
        delete=lambda aws, identity, state: aws(
            "ec2", "delete_subnet_cidr_reservation", SubnetCidrReservationId=identity
        ),
    ),
    "aws:ec2/internetGateway:InternetGateway": Kind(
        inputs=names("vpcId tags"),
        create=make_gateway,
        find=lambda aws, identity, state: aws("ec2", "describe_internet_gateways", InternetGatewayIds=[identity])[
            "InternetGateways"
        ],
        delete=remove_gateway,
    ),
    "aws:ec2/eip:Eip": Kind(
        inputs=names("domain tags"),
        create=make_address,
        find=lambda aws, identity, state: aws("ec2", "describe_addresses", AllocationIds=[identity])["Addresses"],
        delete=lambda aws, identity, state: aws("ec2", "release_address", AllocationId=identity),
    ),
    "aws:ec2/natGateway:NatGateway": Kind(
        inputs=names("subnetId allocationId tags"),
        create=make_nat,
        find=lambda aws, identity, state: aws("ec2", "describe_nat_gateways", NatGatewayIds=[identity])["NatGateways"],
        delete=lambda aws, identity, state: aws("ec2", "delete_nat_gateway", NatGatewayId=identity),
    ),
    "aws:ec2/tag:Tag": Kind(
        inputs=names("resourceId key value"),
        create=make_tag,
        find=find_tag,
        delete=lambda aws, identity, state: aws(
            "ec2", "delete_tags", Resources=[state["resourceId"]], Tags=[{"Key": state["key"]}]
        ),
    ),
    "aws:ec2/routeTable:RouteTable": Kind(
        inputs=names("vpcId tags"),
        create=make_table,
        find=lambda aws, identity, state: aws("ec2", "describe_route_tables", RouteTableIds=[identity])["RouteTables"],
        delete=lambda aws, identity, state: aws("ec2", "delete_route_table", RouteTableId=identity),
    ),
    "aws:ec2/route:Route": Kind(
        inputs=names("routeTableId destinationCidrBlock gatewayId natGatewayId"), create=make_route, delete=remove_route
    ),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": Kind(
        inputs=names("routeTableId subnetId"),
        create=make_association,
        delete=lambda aws, identity, state: aws("ec2", "disassociate_route_table", AssociationId=identity),
    ),
    "aws:ec2/vpcEndpoint:VpcEndpoint": Kind(
        inputs=names(
            "vpcId serviceName vpcEndpointType privateDnsEnabled routeTableIds subnetIds securityGroupIds tags"
        ),
        create=make_endpoint,
        find=lambda aws, identity, state: aws("ec2", "describe_vpc_endpoints", VpcEndpointIds=[identity])[
            "VpcEndpoints"
        ],
        delete=lambda aws, identity, state: aws("ec2", "delete_vpc_endpoints", VpcEndpointIds=[identity]),
    ),
    "aws:ec2/flowLog:FlowLog": Kind(
        inputs=names("vpcId trafficType logDestinationType logDestination iamRoleArn maxAggregationInterval tags"),
        create=make_flow_log,
        find=lambda aws, identity, state: aws("ec2", "describe_flow_logs", FlowLogIds=[identity])["FlowLogs"],
        delete=lambda aws, identity, state: aws("ec2", "delete_flow_logs", FlowLogIds=[identity]),
    ),
}
