"""A public name of the workloads that Route 53 moves to another cluster when this one does not answer.

The API is not moved: an EKS endpoint's certificate takes no name of ours, so two clusters are two contexts of a
kubeconfig.
"""

from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_aws import route53

from components.aws.alarms import MINUTE, Alarm, make
from components.managed_settings import FailoverSettings, WatchedTargets

TTL_SECONDS: Final = 30
"""For so long resolvers remember an answer."""

INTERVAL_SECONDS: Final = 10
"""Route 53's shortest; the usual one is 30."""
THRESHOLD: Final = 3
"""Failures in a row."""

ALARM_MINUTES: Final = 1


def failover_seconds(settings: FailoverSettings) -> int:
    """How long at most clients go on asking a target that is down: until it is noticed, and until names are forgotten.

    With an alarm the time in which CloudWatch gets its data comes on top, usually under a minute.
    """
    noticed = ALARM_MINUTES * MINUTE if settings.watched else INTERVAL_SECONDS * THRESHOLD
    return noticed + TTL_SECONDS


@dataclass(frozen=True, kw_only=True)
class DnsFailoverArgs:
    """What the record is made from."""

    region: str
    settings: FailoverSettings
    topic_arn: pulumi.Input[str]


class DnsFailover(pulumi.ComponentResource):
    """One half of a pair of records; the other cluster's stack has the other half."""

    def __init__(self, name: str, args: DnsFailoverArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        settings = args.settings
        declared = {"name": settings.name, "role": settings.role, "failoverSeconds": failover_seconds(settings)}
        super().__init__("kube-ha:aws:DnsFailover", name, declared, opts)
        self.name, self.args = name, args
        self.child = pulumi.ResourceOptions(parent=self)
        check = self.watch(settings.watched) if settings.watched else self.ask(str(settings.health_path))
        route53.Record(
            f"{name}-failover",
            zone_id=settings.zone_id,
            name=settings.name,
            type="CNAME",
            ttl=TTL_SECONDS,
            records=[settings.target],
            set_identifier=f"{name}-{settings.role}",
            failover_routing_policies=[route53.RecordFailoverRoutingPolicyArgs(type=settings.role.upper())],
            health_check_id=check.id,
            opts=self.child,
        )
        self.register_outputs({"failoverSeconds": failover_seconds(settings)})

    def ask(self, path: str) -> route53.HealthCheck:
        """Route 53's own checkers, from the internet."""
        return route53.HealthCheck(
            f"{self.name}-failover",
            type="HTTPS",
            fqdn=self.args.settings.target,
            port=443,
            resource_path=path,
            enable_sni=True,
            request_interval=INTERVAL_SECONDS,
            failure_threshold=THRESHOLD,
            tags={"Name": f"{self.name} {self.args.settings.name}"},
            opts=self.child,
        )

    def watch(self, targets: WatchedTargets) -> route53.HealthCheck:
        """An alarm, for a target that the internet cannot reach."""
        dimensions = {"LoadBalancer": targets.load_balancer, "TargetGroup": targets.target_group}
        alarm = make(f"{self.name}-failover", without_targets(dimensions), self.args.topic_arn, self.child)
        return route53.HealthCheck(
            f"{self.name}-failover",
            type="CLOUDWATCH_METRIC",
            cloudwatch_alarm_name=alarm.name,
            cloudwatch_alarm_region=self.args.region,
            insufficient_data_health_status="Unhealthy",
            tags={"Name": f"{self.name} {self.args.settings.name}"},
            opts=self.child,
        )


def without_targets(dimensions: dict[str, str]) -> Alarm:
    """A load balancer that sends to nobody."""
    return Alarm(
        namespace="AWS/NetworkELB",
        metric="HealthyHostCount",
        dimensions=dimensions,
        statistic="Minimum",
        comparison="LessThanThreshold",
        threshold=1,
        minutes=ALARM_MINUTES,
        says="the workloads' load balancer has no healthy target: their name moves to the other cluster",
    )
