"""What a program asks AWS for while it runs."""

from collections.abc import Callable
from typing import Final

from providers.aws.connection import Aws
from providers.aws.kind import Properties

PUBLIC_IMAGES: Final = "/aws/service/debian/release/"
"""Debian's public parameters, which the emulator lacks."""
STANDING_FOR_IT: Final = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
"""A public parameter that the emulator has."""


def instance_type(aws: Aws, given: Properties) -> Properties:
    name = given["instanceType"]
    (found,) = aws("ec2", "describe_instance_types", InstanceTypes=[name])["InstanceTypes"]
    return {
        "instanceType": name,
        "memorySize": found["MemoryInfo"]["SizeInMiB"],
        "supportedArchitectures": found["ProcessorInfo"]["SupportedArchitectures"],
    }


def parameter(aws: Aws, given: Properties) -> Properties:
    name = given["name"]
    asked = STANDING_FOR_IT if name.startswith(PUBLIC_IMAGES) else name
    found = aws("ssm", "get_parameter", Name=asked)["Parameter"]
    return {"name": name, "value": found["Value"], "type": found["Type"]}


def vpc(aws: Aws, given: Properties) -> Properties:
    (found,) = aws("ec2", "describe_vpcs", VpcIds=[given["id"]])["Vpcs"]
    return {"id": found["VpcId"], "cidrBlock": found["CidrBlock"]}


def subnet(aws: Aws, given: Properties) -> Properties:
    (found,) = aws("ec2", "describe_subnets", SubnetIds=[given["id"]])["Subnets"]
    return {
        "id": found["SubnetId"],
        "vpcId": found["VpcId"],
        "availabilityZone": found["AvailabilityZone"],
        "cidrBlock": found["CidrBlock"],
    }


def route_table(aws: Aws, given: Properties) -> Properties:
    associated = [{"Name": "association.subnet-id", "Values": [given["subnetId"]]}]
    tables = aws("ec2", "describe_route_tables", Filters=associated)["RouteTables"]
    if len(tables) != 1:
        raise ValueError(f"{given['subnetId']}: query returned {len(tables)} route tables")
    identity = tables[0]["RouteTableId"]
    arn = f"arn:aws:ec2:{aws.region}:{aws.account}:route-table/{identity}"
    return {"routeTableId": identity, "arn": arn, "subnetId": given["subnetId"]}


def prefix_list(aws: Aws, given: Properties) -> Properties:
    named = [{"Name": "prefix-list-name", "Values": [given["name"]]}]
    (found,) = aws("ec2", "describe_managed_prefix_lists", Filters=named)["PrefixLists"]
    return {"id": found["PrefixListId"], "name": given["name"]}


def caller(aws: Aws, given: Properties) -> Properties:
    who = aws("sts", "get_caller_identity")
    return {"accountId": who["Account"], "arn": who["Arn"], "userId": who["UserId"]}


LOOKUPS: Final[dict[str, Callable[[Aws, Properties], Properties]]] = {
    "aws:ec2/getInstanceType:getInstanceType": instance_type,
    "aws:ec2/getPrefixList:getPrefixList": prefix_list,
    "aws:ec2/getRouteTable:getRouteTable": route_table,
    "aws:ec2/getSubnet:getSubnet": subnet,
    "aws:ec2/getVpc:getVpc": vpc,
    "aws:index/getCallerIdentity:getCallerIdentity": caller,
    "aws:index/getPartition:getPartition": lambda aws, given: {"partition": "aws", "dnsSuffix": "amazonaws.com"},
    "aws:ssm/getParameter:getParameter": parameter,
}
