"""Security groups and their rules, by EC2's requests."""

from typing import Any, Final

from providers.aws.connection import Aws
from providers.aws.kind import Kind, Made, Properties, Request, names, tag_specification
from providers.aws.network import arn

ALL: Final = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
RULE: Final = names(
    "securityGroupId ipProtocol fromPort toPort description cidrIpv4 referencedSecurityGroupId prefixListId"
)
HIGHEST_PORT: Final = 65535


def make_group(aws: Aws, request: Request) -> Made:
    given = request.inputs
    identity = aws(
        "ec2",
        "create_security_group",
        GroupName=given["name"],
        Description=given["description"],
        VpcId=given["vpcId"],
        TagSpecifications=tag_specification("security-group", request.tags),
    )["GroupId"]
    # AWS lets a new group send everything; the official provider takes that away.
    aws("ec2", "revoke_security_group_egress", GroupId=identity, IpPermissions=[ALL])
    for rule in given.get("ingress", []):
        ranges = [{"CidrIp": cidr, "Description": rule.get("description", "")} for cidr in rule["cidrBlocks"]]
        permission = permissions(rule["protocol"], rule["fromPort"], rule["toPort"], {"IpRanges": ranges})
        aws("ec2", "authorize_security_group_ingress", GroupId=identity, IpPermissions=permission)
    return Made(identity, {"arn": arn(aws, f"security-group/{identity}")})


def adopt_default(aws: Aws, request: Request) -> Made:
    """The default group cannot be made or removed, only emptied."""
    filters = [
        {"Name": "vpc-id", "Values": [request.inputs["vpcId"]]},
        {"Name": "group-name", "Values": ["default"]},
    ]
    (group,) = aws("ec2", "describe_security_groups", Filters=filters)["SecurityGroups"]
    identity = group["GroupId"]
    if group["IpPermissions"]:
        aws("ec2", "revoke_security_group_ingress", GroupId=identity, IpPermissions=group["IpPermissions"])
    if group["IpPermissionsEgress"]:
        aws("ec2", "revoke_security_group_egress", GroupId=identity, IpPermissions=group["IpPermissionsEgress"])
    return Made(identity, {"arn": arn(aws, f"security-group/{identity}")})


def permissions(protocol: str, first: int | None, last: int | None, peer: Properties) -> list[dict[str, Any]]:
    """One rule as AWS takes it."""
    if protocol in {"tcp", "udp"} and not (
        first is not None and last is not None and 0 <= first <= last <= HIGHEST_PORT
    ):
        raise ValueError(f"fromPort, toPort: got {first}, {last}; accepted: 0 to {HIGHEST_PORT}, the lower one first")
    ports = {} if first is None else {"FromPort": first, "ToPort": last}
    return [{"IpProtocol": protocol, **ports, **peer}]


def peer_of(given: Properties) -> Properties:
    """Who is at a rule's other end."""
    text = {"Description": given.get("description", "")}
    if "cidrIpv4" in given:
        return {"IpRanges": [{"CidrIp": given["cidrIpv4"], **text}]}
    if "referencedSecurityGroupId" in given:
        return {"UserIdGroupPairs": [{"GroupId": given["referencedSecurityGroupId"], **text}]}
    return {"PrefixListIds": [{"PrefixListId": given["prefixListId"], **text}]}


def rule(direction: str) -> Kind:
    """Rules into a group, or out of it."""

    def make(aws: Aws, request: Request) -> Made:
        given = request.inputs
        made = aws(
            "ec2",
            f"authorize_security_group_{direction}",
            GroupId=given["securityGroupId"],
            IpPermissions=permissions(given["ipProtocol"], given.get("fromPort"), given.get("toPort"), peer_of(given)),
            TagSpecifications=tag_specification("security-group-rule", request.tags),
        )
        identity = made["SecurityGroupRules"][0]["SecurityGroupRuleId"]
        return Made(identity, {"arn": arn(aws, f"security-group-rule/{identity}"), "securityGroupRuleId": identity})

    def remove(aws: Aws, identity: str, state: Properties) -> None:
        aws(
            "ec2",
            f"revoke_security_group_{direction}",
            GroupId=state["securityGroupId"],
            SecurityGroupRuleIds=[identity],
        )

    return Kind(
        inputs=RULE | {"tags"},
        create=make,
        find=lambda aws, identity, state: aws("ec2", "describe_security_group_rules", SecurityGroupRuleIds=[identity])[
            "SecurityGroupRules"
        ],
        delete=remove,
    )


def find_group(aws: Aws, identity: str, state: Properties) -> Any:
    return aws("ec2", "describe_security_groups", GroupIds=[identity])["SecurityGroups"]


KINDS: Final = {
    "aws:ec2/securityGroup:SecurityGroup": Kind(
        inputs=names("name description vpcId ingress tags"),
        named="name",
        create=make_group,
        find=find_group,
        delete=lambda aws, identity, state: aws("ec2", "delete_security_group", GroupId=identity),
    ),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": Kind(
        inputs=names("vpcId tags"), create=adopt_default, find=find_group
    ),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": rule("ingress"),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": rule("egress"),
}
