"""Private zones and their records, by Route 53's requests."""

import secrets
from typing import Any, Final

from providers.aws.connection import Aws
from providers.aws.kind import Kind, Made, Properties, Request, names, pick, tag_list


def make_zone(aws: Aws, request: Request) -> Made:
    given = request.inputs
    (vpc,) = given["vpcs"]
    made = aws(
        "route53",
        "create_hosted_zone",
        Name=given["name"],
        CallerReference=secrets.token_hex(8),
        HostedZoneConfig={"Comment": given["comment"], "PrivateZone": True},
        VPC={"VPCRegion": aws.region, "VPCId": vpc["vpcId"]},
    )
    identity = made["HostedZone"]["Id"].removeprefix("/hostedzone/")
    aws(
        "route53",
        "change_tags_for_resource",
        ResourceType="hostedzone",
        ResourceId=identity,
        AddTags=tag_list(request.tags),
    )
    return Made(identity, {"zoneId": identity, "arn": f"arn:aws:route53:::hostedzone/{identity}"})


def record_set(given: Properties) -> dict[str, Any]:
    """A record as Route 53 takes it."""
    record: dict[str, Any] = {"Name": given["name"], "Type": given["type"]}
    if "failoverRoutingPolicies" in given:
        (policy,) = given["failoverRoutingPolicies"]
        record |= {"Failover": policy["type"], "SetIdentifier": given["setIdentifier"]}
    if "healthCheckId" in given:
        record["HealthCheckId"] = given["healthCheckId"]
    if "aliases" in given:
        (alias,) = given["aliases"]
        target = {
            "HostedZoneId": alias["zoneId"],
            "DNSName": alias["name"],
            "EvaluateTargetHealth": alias["evaluateTargetHealth"],
        }
        return {**record, "AliasTarget": target}
    return {**record, "TTL": given["ttl"], "ResourceRecords": [{"Value": value} for value in given["records"]]}


def change(aws: Aws, action: str, given: Properties) -> None:
    batch = {"Changes": [{"Action": action, "ResourceRecordSet": record_set(given)}]}
    aws("route53", "change_resource_record_sets", HostedZoneId=given["zoneId"], ChangeBatch=batch)


def make_record(aws: Aws, request: Request) -> Made:
    given = request.inputs
    change(aws, "CREATE", given)
    return Made(f"{given['zoneId']}_{given['name']}_{given['type']}", {"fqdn": given["name"]})


def change_record(aws: Aws, identity: str, before: Properties, request: Request) -> Properties:
    change(aws, "UPSERT", request.inputs)
    return {}


def make_check(aws: Aws, request: Request) -> Made:
    given = request.inputs
    config = {
        "Type": given["type"],
        "FullyQualifiedDomainName": given.get("fqdn"),
        "EnableSNI": given.get("enableSni"),
        **pick(given, "port resourcePath requestInterval failureThreshold insufficientDataHealthStatus"),
    }
    if "cloudwatchAlarmName" in given:
        config["AlarmIdentifier"] = {"Region": given["cloudwatchAlarmRegion"], "Name": given["cloudwatchAlarmName"]}
    made = aws(
        "route53",
        "create_health_check",
        CallerReference=secrets.token_hex(8),
        HealthCheckConfig={name: value for name, value in config.items() if value is not None},
    )["HealthCheck"]
    aws(
        "route53",
        "change_tags_for_resource",
        ResourceType="healthcheck",
        ResourceId=made["Id"],
        AddTags=tag_list(request.tags),
    )
    return Made(made["Id"])


def find_record(aws: Aws, identity: str, state: Properties) -> Any:
    sets = aws("route53", "list_resource_record_sets", HostedZoneId=state["zoneId"])["ResourceRecordSets"]
    return [one for one in sets if one["Name"].rstrip(".") == state["name"]]


KINDS: Final = {
    "aws:route53/zone:Zone": Kind(
        inputs=names("name comment vpcs tags"),
        create=make_zone,
        find=lambda aws, identity, state: aws("route53", "get_hosted_zone", Id=identity),
        delete=lambda aws, identity, state: aws("route53", "delete_hosted_zone", Id=identity),
    ),
    "aws:route53/record:Record": Kind(
        inputs=names("zoneId name type ttl records aliases setIdentifier failoverRoutingPolicies healthCheckId"),
        replaces=names("zoneId name type setIdentifier"),
        create=make_record,
        update=change_record,
        find=find_record,
        delete=lambda aws, identity, state: change(aws, "DELETE", state),
    ),
    "aws:route53/healthCheck:HealthCheck": Kind(
        inputs=names("type fqdn port resourcePath enableSni requestInterval failureThreshold tags")
        | names("cloudwatchAlarmName cloudwatchAlarmRegion insufficientDataHealthStatus"),
        create=make_check,
        find=lambda aws, identity, state: aws("route53", "get_health_check", HealthCheckId=identity),
        delete=lambda aws, identity, state: aws("route53", "delete_health_check", HealthCheckId=identity),
    ),
}
