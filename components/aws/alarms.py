"""Alarms and graphs of CloudWatch: what every control plane on AWS says of itself with."""

from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi_aws import cloudwatch

MINUTE: Final = 60


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """When a metric of AWS means that somebody should look."""

    namespace: str
    metric: str
    dimensions: Any
    statistic: str
    comparison: str
    threshold: float
    minutes: int
    """How long it has to be so."""
    period: int = MINUTE
    missing: str = "breaching"
    """What no data means."""
    says: str


def make(name: str, alarm: Alarm, topic_arn: pulumi.Input[str], opts: pulumi.ResourceOptions) -> cloudwatch.MetricAlarm:
    """An alarm that says so on a topic, and when it is over."""
    return cloudwatch.MetricAlarm(
        name,
        namespace=alarm.namespace,
        metric_name=alarm.metric,
        dimensions=alarm.dimensions,
        statistic=alarm.statistic,
        comparison_operator=alarm.comparison,
        threshold=alarm.threshold,
        period=alarm.period,
        evaluation_periods=alarm.minutes * MINUTE // alarm.period,
        treat_missing_data=alarm.missing,
        alarm_description=alarm.says,
        alarm_actions=[topic_arn],
        ok_actions=[topic_arn],
        opts=opts,
    )


def graph(region: str, title: str, metrics: list[list[Any]], place: int) -> dict[str, Any]:
    """A widget of a dashboard: two beside each other, in the order of their places."""
    return {
        "type": "metric",
        "x": 12 * (place % 2),
        "y": 6 * (place // 2),
        "width": 12,
        "height": 6,
        "properties": {"title": title, "region": region, "metrics": metrics, "stat": "Minimum", "period": MINUTE},
    }
