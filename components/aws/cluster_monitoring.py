"""What an EKS cluster says of itself: alarms that fire in minutes, a topic to hear them, a dashboard."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi_aws import cloudwatch, sns

from components.aws.alarms import MINUTE, Alarm, graph, make
from components.scenarios import Tier

EKS: Final = "AWS/EKS"
"""Metrics that EKS gives of every cluster from version 1.28 on, free of charge."""

INSIGHTS: Final = "ContainerInsights"

STORAGE_BYTES: Final = 6 * 1024**3
"""Under the 8 GB that EKS' best-practices guide names as etcd's limit, above which the cluster takes no more writes;
provisioned tiers allow more."""

LONGEST_SECONDS: Final = 24 * 3600
"""An alarm looks back one day at most."""

ERRORS_A_MINUTE: Final = 10
"""Single 5xx come with every change of a leader."""


@dataclass(frozen=True, kw_only=True)
class ClusterMonitoringArgs:
    """What is watched."""

    region: str
    cluster_name: pulumi.Input[str]
    nodes: int
    container_insights: bool
    vault_name: pulumi.Input[str]
    first_backup_tier: Tier
    key_arn: pulumi.Input[str]


class ClusterMonitoring(pulumi.ComponentResource):
    """Every alarm sends to one topic; people and pagers subscribe to it."""

    topic_arn: pulumi.Output[str]

    def __init__(self, name: str, args: ClusterMonitoringArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kube-ha:aws:ClusterMonitoring", name, None, opts)
        self.name, self.args = name, args
        child = pulumi.ResourceOptions(parent=self)
        self.topic_arn = sns.Topic(name, kms_master_key_id=args.key_arn, opts=child).arn
        for suffix, alarm in self.alarms():
            make(f"{name}-{suffix}", alarm, self.topic_arn, child)
        cloudwatch.Dashboard(
            name,
            dashboard_name=name,
            dashboard_body=pulumi.Output.json_dumps({"widgets": self.widgets()}),
            opts=child,
        )
        self.register_outputs({"topicArn": self.topic_arn})

    def alarms(self) -> Iterator[tuple[str, Alarm]]:
        cluster = {"ClusterName": self.args.cluster_name}
        yield "silent", silent(cluster)
        yield "errors", errors(cluster)
        yield "storage", nearly_full(cluster)
        yield "unschedulable", unschedulable(cluster)
        if self.args.container_insights:
            yield "nodes", short_of_nodes(cluster, self.args.nodes)
        if 2 * self.args.first_backup_tier.every.total_seconds() <= LONGEST_SECONDS:
            yield "backup", no_backup(self.args.vault_name, self.args.first_backup_tier)

    def widgets(self) -> list[dict[str, Any]]:
        def of(namespace: str, *metrics: str) -> list[list[Any]]:
            return [[namespace, metric, "ClusterName", self.args.cluster_name] for metric in metrics]

        requests = of(EKS, "apiserver_request_total", "apiserver_request_total_5XX", "apiserver_request_total_429")
        pending = of(EKS, "scheduler_pending_pods", "scheduler_pending_pods_UNSCHEDULABLE")
        widgets = [
            graph(self.args.region, "Requests to the API", requests, 0),
            graph(self.args.region, "Pods that wait", pending, 1),
        ]
        if self.args.container_insights:
            nodes = of(INSIGHTS, "cluster_node_count", "cluster_failed_node_count")
            widgets.append(graph(self.args.region, "Nodes", nodes, 2))
        return widgets


def silent(cluster: dict[str, Any]) -> Alarm:
    """No request at all: kubelets alone make some each second, so nobody reaches the API, or EKS does not count."""
    return Alarm(
        namespace=EKS,
        metric="apiserver_request_total",
        dimensions=cluster,
        statistic="Sum",
        comparison="LessThanThreshold",
        threshold=1,
        minutes=3,
        says="the API of the cluster takes no requests",
    )


def errors(cluster: dict[str, Any]) -> Alarm:
    """An API server that fails by itself."""
    return Alarm(
        namespace=EKS,
        metric="apiserver_request_total_5XX",
        dimensions=cluster,
        statistic="Sum",
        comparison="GreaterThanOrEqualToThreshold",
        threshold=ERRORS_A_MINUTE,
        minutes=3,
        missing="notBreaching",
        says=f"the API of the cluster answers {ERRORS_A_MINUTE} requests a minute or more with an error of its own",
    )


def nearly_full(cluster: dict[str, Any]) -> Alarm:
    """An etcd that will take no more writes."""
    return Alarm(
        namespace=EKS,
        metric="apiserver_storage_size_bytes",
        dimensions=cluster,
        statistic="Maximum",
        comparison="GreaterThanOrEqualToThreshold",
        threshold=STORAGE_BYTES,
        minutes=5,
        missing="notBreaching",
        says=f"the cluster's objects take {STORAGE_BYTES // 1024**3} GiB or more: at its limit it takes no writes",
    )


def unschedulable(cluster: dict[str, Any]) -> Alarm:
    """Pods that find no place: too few nodes, or a zone is gone and the others have no room."""
    return Alarm(
        namespace=EKS,
        metric="scheduler_pending_pods_UNSCHEDULABLE",
        dimensions=cluster,
        statistic="Maximum",
        comparison="GreaterThanOrEqualToThreshold",
        threshold=1,
        minutes=10,
        missing="notBreaching",
        says="pods find no node for ten minutes",
    )


def short_of_nodes(cluster: dict[str, Any], nodes: int) -> Alarm:
    """A node that is gone and does not come back."""
    return Alarm(
        namespace=INSIGHTS,
        metric="cluster_node_count",
        dimensions=cluster,
        statistic="Minimum",
        comparison="LessThanThreshold",
        threshold=nodes,
        minutes=10,
        says=f"fewer than {nodes} nodes for ten minutes: EKS does not replace what is gone",
    )


def no_backup(vault: pulumi.Input[str], tier: Tier) -> Alarm:
    """None was completed in twice the time in which one should."""
    twice = 2 * int(tier.every.total_seconds())
    return Alarm(
        namespace="AWS/Backup",
        metric="NumberOfBackupJobsCompleted",
        dimensions={"BackupVaultName": vault},
        statistic="Sum",
        comparison="LessThanThreshold",
        threshold=1,
        minutes=twice // MINUTE,
        period=twice,
        says=f"no backup of the cluster for {twice // MINUTE} minutes: a restore would lose more than it should",
    )
