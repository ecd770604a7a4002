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


def caller(aws: Aws, given: Properties) -> Properties:
    who = aws("sts", "get_caller_identity")
    return {"accountId": who["Account"], "arn": who["Arn"], "userId": who["UserId"]}


LOOKUPS: Final[dict[str, Callable[[Aws, Properties], Properties]]] = {
    "aws:ec2/getInstanceType:getInstanceType": instance_type,
    "aws:index/getCallerIdentity:getCallerIdentity": caller,
    "aws:index/getPartition:getPartition": lambda aws, given: {"partition": "aws", "dnsSuffix": "amazonaws.com"},
    "aws:ssm/getParameter:getParameter": parameter,
}
