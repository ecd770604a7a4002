"""The load balancer of a control plane on AWS: a network load balancer in front of the masters."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_aws import lb

from components.node.health import API_PORT, LOAD_BALANCER

DEREGISTRATION_SECONDS: Final = 30
"""How long a master that leaves keeps the connections it has; then they are ended."""


@dataclass(frozen=True, kw_only=True)
class LoadBalancerArgs:
    """What a load balancer is made from."""

    vpc_id: pulumi.Input[str]
    subnets: Sequence[pulumi.Input[str]]
    """One per zone."""
    security_group: pulumi.Input[str]
    public: bool
    """Whether it has public addresses; who may reach them is the security group's affair."""


class LoadBalancer(pulumi.ComponentResource):
    """Sends TCP 6443 to the masters whose /readyz says yes."""

    dns_name: pulumi.Output[str]
    zone_id: pulumi.Output[str]
    """Hosted zone of `dns_name`, for alias records."""
    target_group_arn: pulumi.Output[str]
    dimensions: pulumi.Output[dict[str, str]]
    """Of its target group's metrics."""

    def __init__(self, name: str, args: LoadBalancerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kube-ha:aws:LoadBalancer", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        balancer = lb.LoadBalancer(
            name,
            load_balancer_type="network",
            internal=not args.public,
            subnets=args.subnets,
            security_groups=[args.security_group],
            # Without it a zone whose only master is down answers nobody who asks in that zone.
            enable_cross_zone_load_balancing=True,
            enable_deletion_protection=True,
            opts=child,
        )
        check = LOAD_BALANCER["aws"]
        targets = lb.TargetGroup(
            name,
            vpc_id=args.vpc_id,
            target_type="instance",
            port=API_PORT,
            protocol="TCP",
            # A master that reaches itself through the balancer would see its own address come from outside.
            preserve_client_ip="false",
            deregistration_delay=DEREGISTRATION_SECONDS,
            connection_termination=True,
            health_check=lb.TargetGroupHealthCheckArgs(
                enabled=True,
                protocol="HTTPS",
                path="/readyz",
                port=str(API_PORT),
                matcher="200",
                interval=int(check.interval_seconds),
                timeout=int(check.interval_seconds),
                healthy_threshold=check.threshold,
                unhealthy_threshold=check.threshold,
            ),
            opts=child,
        )
        lb.Listener(
            name,
            load_balancer_arn=balancer.arn,
            port=API_PORT,
            protocol="TCP",
            default_actions=[lb.ListenerDefaultActionArgs(type="forward", target_group_arn=targets.arn)],
            opts=pulumi.ResourceOptions(parent=balancer),
        )
        self.dns_name = balancer.dns_name
        self.zone_id = balancer.zone_id
        self.target_group_arn = targets.arn
        self.dimensions = pulumi.Output.all(balancer.arn_suffix, targets.arn_suffix).apply(
            lambda suffixes: {"LoadBalancer": suffixes[0], "TargetGroup": suffixes[1]}
        )
        self.register_outputs({"dnsName": self.dns_name, "targetGroupArn": self.target_group_arn})
