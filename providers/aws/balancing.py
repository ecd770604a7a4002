"""Network load balancers, by Elastic Load Balancing's requests."""

from typing import Any, Final

from providers.aws.connection import Aws
from providers.aws.kind import Kind, Made, Properties, Request, names, pick, tag_list

LEAST_INTERVAL: Final = 5


def attributes(given: Properties, spelling: dict[str, str]) -> list[dict[str, str]]:
    """Properties as the key and value pairs that load balancers keep."""
    return [
        {"Key": key, "Value": str(given[name]).lower()} for name, key in spelling.items() if given.get(name) is not None
    ]


BALANCER_ATTRIBUTES: Final = {
    "enableCrossZoneLoadBalancing": "load_balancing.cross_zone.enabled",
    "enableDeletionProtection": "deletion_protection.enabled",
}


def make_balancer(aws: Aws, request: Request) -> Made:
    given = request.inputs
    made = aws(
        "elbv2",
        "create_load_balancer",
        Type=given["loadBalancerType"],
        Scheme="internal" if given.get("internal") else "internet-facing",
        **pick(given, "name subnets securityGroups"),
        Tags=tag_list(request.tags),
    )["LoadBalancers"][0]
    arn = made["LoadBalancerArn"]
    change_balancer(aws, arn, {}, request)
    return Made(
        arn,
        {
            "arn": arn,
            "arnSuffix": arn.split(":loadbalancer/")[1],
            "dnsName": made["DNSName"],
            "zoneId": made["CanonicalHostedZoneId"],
        },
    )


def change_balancer(aws: Aws, identity: str, before: Properties, request: Request) -> Properties:
    pairs = attributes(request.inputs, BALANCER_ATTRIBUTES)
    aws("elbv2", "modify_load_balancer_attributes", LoadBalancerArn=identity, Attributes=pairs)
    return {}


TARGET_ATTRIBUTES: Final = {
    "deregistrationDelay": "deregistration_delay.timeout_seconds",
    "connectionTermination": "deregistration_delay.connection_termination.enabled",
    "preserveClientIp": "preserve_client_ip.enabled",
}


def health_check(given: Properties) -> dict[str, Any]:
    """A target group's check as AWS takes it."""
    check = given["healthCheck"]
    if check["interval"] < LEAST_INTERVAL or check["timeout"] > check["interval"]:
        raise ValueError(
            f"healthCheck: interval {check['interval']}, timeout {check['timeout']}; accepted: an interval of "
            f"{LEAST_INTERVAL} s or more, and a timeout that is no longer"
        )
    return {
        "HealthCheckEnabled": check["enabled"],
        "HealthCheckProtocol": check["protocol"],
        "HealthCheckPort": check["port"],
        "HealthCheckPath": check["path"],
        "HealthCheckIntervalSeconds": check["interval"],
        "HealthCheckTimeoutSeconds": check["timeout"],
        "HealthyThresholdCount": check["healthyThreshold"],
        "UnhealthyThresholdCount": check["unhealthyThreshold"],
        "Matcher": {"HttpCode": check["matcher"]},
    }


def make_targets(aws: Aws, request: Request) -> Made:
    given = request.inputs
    made = aws(
        "elbv2",
        "create_target_group",
        **pick(given, "name protocol port vpcId targetType"),
        **health_check(given),
        Tags=tag_list(request.tags),
    )["TargetGroups"][0]
    arn = made["TargetGroupArn"]
    aws("elbv2", "modify_target_group_attributes", TargetGroupArn=arn, Attributes=attributes(given, TARGET_ATTRIBUTES))
    return Made(arn, {"arn": arn, "arnSuffix": arn.rsplit(":", 1)[1]})


def change_targets(aws: Aws, identity: str, before: Properties, request: Request) -> Properties:
    given = request.inputs
    aws("elbv2", "modify_target_group", TargetGroupArn=identity, **health_check(given))
    pairs = attributes(given, TARGET_ATTRIBUTES)
    aws("elbv2", "modify_target_group_attributes", TargetGroupArn=identity, Attributes=pairs)
    return {}


def make_listener(aws: Aws, request: Request) -> Made:
    given = request.inputs
    made = aws(
        "elbv2",
        "create_listener",
        **pick(given, "loadBalancerArn protocol port defaultActions"),
        Tags=tag_list(request.tags),
    )["Listeners"][0]
    return Made(made["ListenerArn"], {"arn": made["ListenerArn"]})


KINDS: Final = {
    "aws:lb/loadBalancer:LoadBalancer": Kind(
        inputs=names(
            "name loadBalancerType internal subnets securityGroups enableCrossZoneLoadBalancing"
            " enableDeletionProtection tags"
        ),
        named="name",
        replaces=names("name loadBalancerType internal subnets securityGroups tags"),
        create=make_balancer,
        update=change_balancer,
        find=lambda aws, identity, state: aws("elbv2", "describe_load_balancers", LoadBalancerArns=[identity])[
            "LoadBalancers"
        ],
        delete=lambda aws, identity, state: aws("elbv2", "delete_load_balancer", LoadBalancerArn=identity),
    ),
    "aws:lb/targetGroup:TargetGroup": Kind(
        inputs=names(
            "name protocol port vpcId targetType healthCheck deregistrationDelay connectionTermination"
            " preserveClientIp tags"
        ),
        named="name",
        replaces=names("name protocol port vpcId targetType tags"),
        create=make_targets,
        update=change_targets,
        find=lambda aws, identity, state: aws("elbv2", "describe_target_groups", TargetGroupArns=[identity])[
            "TargetGroups"
        ],
        delete=lambda aws, identity, state: aws("elbv2", "delete_target_group", TargetGroupArn=identity),
    ),
    "aws:lb/listener:Listener": Kind(
        inputs=names("loadBalancerArn protocol port defaultActions tags"),
        create=make_listener,
        find=lambda aws, identity, state: aws("elbv2", "describe_listeners", ListenerArns=[identity])["Listeners"],
        delete=lambda aws, identity, state: aws("elbv2", "delete_listener", ListenerArn=identity),
    ),
}
