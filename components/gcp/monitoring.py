"""What a GKE control plane says of itself: alarms, and a topic to hear them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_gcp import monitoring, pubsub

from components.gcp import alarms
from components.gcp.alarms import CLUSTER, MINUTE, Alarm

EVALUATION_SECONDS: Final = 60

FAILED_BACKUPS: Final = (
    'resource.type = "gkebackup.googleapis.com/BackupPlan" AND '
    'metric.type = "gkebackup.googleapis.com/backup_completion_times" AND metric.labels.state = "FAILED"'
)


@dataclass(frozen=True, kw_only=True)
class MonitoringArgs:
    """What is watched."""

    project: str
    cluster: pulumi.Output[str]
    """Name in Google Cloud."""
    location: str
    nodes: int
    metrics: Sequence[str]
    notifier: str
    """The member that Cloud Monitoring publishes as."""
    labels: Mapping[str, str]


class Monitoring(pulumi.ComponentResource):
    """Every alarm publishes to one topic; people and pagers subscribe to it."""

    topic: pulumi.Output[str]

    def __init__(self, name: str, args: MonitoringArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kube-ha:gcp:Monitoring", name, None, opts)
        self.name, self.args = name, args
        self.child = pulumi.ResourceOptions(parent=self)
        self.channel = self.make_channel()
        for alarm in alarms.of_cluster(args.location, args.nodes, args.metrics):
            self.alarm(alarm.name, alarm.says, alarm.severity, self.by_query(alarm))
        self.alarm("backups", "a backup failed: a restore would lose more than it should", "ERROR", failed_backups())
        self.register_outputs({"topic": self.topic})

    def make_channel(self) -> monitoring.NotificationChannel:
        topic = pubsub.Topic(self.name, project=self.args.project, opts=self.child)
        self.topic = topic.id
        publishes = pubsub.TopicIAMMember(
            self.name,
            project=self.args.project,
            topic=topic.name,
            role="roles/pubsub.publisher",
            member=self.args.notifier,
            opts=pulumi.ResourceOptions(parent=topic),
        )
        return monitoring.NotificationChannel(
            self.name,
            project=self.args.project,
            display_name=f"kube-ha: {self.name}",
            type="pubsub",
            labels={"topic": topic.id},
            user_labels=self.args.labels,
            opts=pulumi.ResourceOptions(parent=topic, depends_on=[publishes]),
        )

    def by_query(self, alarm: Alarm) -> monitoring.AlertPolicyConditionArgs:
        return monitoring.AlertPolicyConditionArgs(
            display_name=alarm.name,
            condition_prometheus_query_language=monitoring.AlertPolicyConditionConditionPrometheusQueryLanguageArgs(
                query=self.args.cluster.apply(lambda cluster: alarm.query.replace(CLUSTER, cluster)),
                duration=f"{alarm.seconds}s",
                evaluation_interval=f"{EVALUATION_SECONDS}s",
            ),
        )

    def alarm(self, name: str, says: str, severity: str, condition: monitoring.AlertPolicyConditionArgs) -> None:
        monitoring.AlertPolicy(
            f"{self.name}-{name}",
            project=self.args.project,
            display_name=f"{self.name}: {name}",
            combiner="OR",
            conditions=[condition],
            notification_channels=[self.channel.id],
            severity=severity,
            documentation=monitoring.AlertPolicyDocumentationArgs(content=says, mime_type="text/markdown"),
            user_labels=self.args.labels,
            opts=self.child,
        )


def failed_backups() -> monitoring.AlertPolicyConditionArgs:
    """One failure is one too many."""
    counted = monitoring.AlertPolicyConditionConditionThresholdAggregationArgs(
        alignment_period=f"{10 * MINUTE}s", per_series_aligner="ALIGN_COUNT"
    )
    return monitoring.AlertPolicyConditionArgs(
        display_name="backups",
        condition_threshold=monitoring.AlertPolicyConditionConditionThresholdArgs(
            filter=FAILED_BACKUPS,
            comparison="COMPARISON_GT",
            threshold_value=0,
            duration="0s",
            aggregations=[counted],
        ),
    )
