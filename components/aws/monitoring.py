"""What a control plane on AWS says of itself: alarms that fire in minutes, a topic to hear them, a dashboard."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi_aws import cloudwatch, s3, sns

from components.aws.alarms import MINUTE, Alarm, graph, make
from components.aws.load_balancer import LoadBalancer
from components.aws.machines import MachineGroup
from components.aws.policies import METRICS_NAMESPACE
from components.topology import Topology

CERTIFICATE_DAYS: Final = 30
"""Leaves last a year and are renewed when a third of it is left: at 30 days renewal has failed for three months."""

CONCERN_MINUTES: Final = 30
"""Work that failed once is tried again every minute; what a restore drill found stays for an hour, until the next."""


@dataclass(frozen=True, kw_only=True)
class MonitoringArgs:
    """What is watched."""

    region: str
    topology: Topology
    groups: Sequence[MachineGroup]
    load_balancer: LoadBalancer | None
    bucket: pulumi.Input[str]
    snapshots_prefix: pulumi.Input[str]
    key_arn: pulumi.Input[str]


class Monitoring(pulumi.ComponentResource):
    """Every alarm sends to one topic; people and pagers subscribe to it."""

    topic_arn: pulumi.Output[str]

    def __init__(self, name: str, args: MonitoringArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kube-ha:aws:Monitoring", name, None, opts)
        self.name, self.args = name, args
        self.child = pulumi.ResourceOptions(parent=self)
        self.topic_arn = sns.Topic(name, kms_master_key_id=args.key_arn, opts=self.child).arn
        for group in args.groups:
            self.alarms_of_group(group)
        if args.load_balancer:
            self.alarm(f"{name}-targets", unhealthy(args.load_balancer, len(args.topology.masters)))
        self.alarm(f"{name}-snapshot", self.snapshot_is_old())
        self.alarm(f"{name}-agents", unwell(name))
        self.alarm(f"{name}-certificates", near_its_end(name))
        self.alarm(f"{name}-concerns", concerned(name))
        self.dashboard()
        self.register_outputs({"topicArn": self.topic_arn})

    def alarms_of_group(self, group: MachineGroup) -> None:
        self.alarm(f"{group.name}-short", short(group))
        self.alarm(f"{group.name}-check", failed_check(group))
        if group.volume_id is not None:
            self.alarm(f"{group.name}-volume", stalled(group.name, group.volume_id))

    def snapshot_is_old(self) -> Alarm:
        """No snapshot arrived in twice the time in which one should: counted by the bucket itself."""
        arrivals = s3.BucketMetric(
            f"{self.name}-snapshots",
            bucket=self.args.bucket,
            name="snapshots",
            filter=s3.BucketMetricFilterArgs(prefix=self.args.snapshots_prefix),
            opts=self.child,
        )
        twice = 2 * int(self.args.topology.snapshots.interval.total_seconds())
        return Alarm(
            namespace="AWS/S3",
            metric="PutRequests",
            dimensions={"BucketName": arrivals.bucket, "FilterId": arrivals.name},
            statistic="Sum",
            comparison="LessThanThreshold",
            threshold=1,
            minutes=twice // MINUTE,
            period=twice,
            says=f"no snapshot of etcd for {twice // MINUTE} minutes: a restore would lose more than it should",
        )

    def alarm(self, name: str, alarm: Alarm) -> None:
        make(name, alarm, self.topic_arn, self.child)

    def dashboard(self) -> None:
        shown = {
            "Machines in service": in_service(self.args.groups),
            "Agents that are not well": of_agents("Unwell", self.name),
            "What agents want people to know": of_agents("Concerns", self.name),
            "Days until the first certificate ends": of_agents("CertificateDays", self.name),
        }
        if self.args.load_balancer:
            shown["Masters behind the load balancer"] = metrics_of_targets(self.args.load_balancer)
        widgets = [
            graph(self.args.region, title, metrics, place) for place, (title, metrics) in enumerate(shown.items())
        ]
        cloudwatch.Dashboard(
            self.name,
            dashboard_name=self.name,
            dashboard_body=pulumi.Output.json_dumps({"widgets": widgets}),
            opts=self.child,
        )


def unhealthy(balancer: LoadBalancer, masters: int) -> Alarm:
    """A master that the load balancer leaves out for longer than a replacement takes to be noticed."""
    return Alarm(
        namespace="AWS/NetworkELB",
        metric="HealthyHostCount",
        dimensions=balancer.dimensions,
        statistic="Minimum",
        comparison="LessThanThreshold",
        threshold=masters,
        minutes=3,
        says=f"fewer than {masters} masters answer /readyz: one more loss and less is left than was promised",
    )


def short(group: MachineGroup) -> Alarm:
    """A group that cannot replace what died: no capacity, a wrong template, a used-up quota."""
    return Alarm(
        namespace="AWS/AutoScaling",
        metric="GroupInServiceInstances",
        dimensions={"AutoScalingGroupName": group.group_name},
        statistic="Minimum",
        comparison="LessThanThreshold",
        threshold=group.count,
        minutes=5,
        says=f"{group.name} has fewer than {group.count} machines and does not get them back by itself",
    )


def failed_check(group: MachineGroup) -> Alarm:
    """A machine or its host that AWS finds broken; its group replaces it."""
    return Alarm(
        namespace="AWS/EC2",
        metric="StatusCheckFailed",
        dimensions={"AutoScalingGroupName": group.group_name},
        statistic="Maximum",
        comparison="GreaterThanOrEqualToThreshold",
        threshold=1,
        minutes=3,
        # Between two incarnations there is nothing to check.
        missing="notBreaching",
        says=f"a machine of {group.name} fails EC2's status check",
    )


def stalled(machine: str, volume: pulumi.Input[str]) -> Alarm:
    """A volume that takes no more writes."""
    return Alarm(
        namespace="AWS/EBS",
        metric="VolumeStalledIOCheck",
        dimensions={"VolumeId": volume},
        statistic="Maximum",
        comparison="GreaterThanOrEqualToThreshold",
        threshold=1,
        minutes=2,
        missing="notBreaching",
        says=f"the volume of {machine} has stopped answering",
    )


def unwell(cluster: str) -> Alarm:
    """Agents say for minutes that something is not well: a member that does not join, an API server that ends."""
    return Alarm(
        namespace=METRICS_NAMESPACE,
        metric="Unwell",
        dimensions={"Cluster": cluster},
        statistic="Maximum",
        comparison="GreaterThanOrEqualToThreshold",
        threshold=1,
        minutes=10,
        says="a machine's agent is not well for ten minutes, or no agent speaks",
    )


def near_its_end(cluster: str) -> Alarm:
    """A certificate that was not renewed when it was due; which one, the agents' own metrics say."""
    return Alarm(
        namespace=METRICS_NAMESPACE,
        metric="CertificateDays",
        dimensions={"Cluster": cluster},
        statistic="Minimum",
        comparison="LessThanThreshold",
        threshold=CERTIFICATE_DAYS,
        minutes=10,
        # Silence is the alarm of the agents.
        missing="notBreaching",
        says=f"a certificate of a machine ends in less than {CERTIFICATE_DAYS} days, and should have been renewed",
    )


def concerned(cluster: str) -> Alarm:
    """A snapshot that the restore drill found bad, snapshots that cannot be taken, a clock that is off: no machine is
    unready because of it, and none of it mends itself.
    """
    return Alarm(
        namespace=METRICS_NAMESPACE,
        metric="Concerns",
        dimensions={"Cluster": cluster},
        statistic="Maximum",
        comparison="GreaterThanOrEqualToThreshold",
        threshold=1,
        minutes=CONCERN_MINUTES,
        # Silence is the alarm of the agents.
        missing="notBreaching",
        says="a machine's agent has a concern, such as a snapshot that could not be restored; its status says which",
    )


def of_agents(metric: str, cluster: str) -> list[list[Any]]:
    """The worst that any agent says, as a dashboard spells it: the highest but for what runs out."""
    return [
        [
            METRICS_NAMESPACE,
            metric,
            "Cluster",
            cluster,
            {"stat": "Minimum" if metric == "CertificateDays" else "Maximum"},
        ]
    ]


def in_service(groups: Sequence[MachineGroup]) -> list[list[Any]]:
    """The metric of each group, as a dashboard spells it."""
    return [
        ["AWS/AutoScaling", "GroupInServiceInstances", "AutoScalingGroupName", group.group_name] for group in groups
    ]


def metrics_of_targets(balancer: LoadBalancer) -> list[list[Any]]:
    """Healthy and unhealthy masters, as a dashboard spells it."""
    names = [
        "LoadBalancer",
        balancer.dimensions.apply(lambda named: named["LoadBalancer"]),
        "TargetGroup",
        balancer.dimensions.apply(lambda named: named["TargetGroup"]),
    ]
    return [["AWS/NetworkELB", metric, *names] for metric in ("HealthyHostCount", "UnHealthyHostCount")]
