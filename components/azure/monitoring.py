"""Alerts on the metrics that AKS has of every cluster for nothing, and who is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import pulumi
from pulumi_azure_native import monitor

from components.azure.place import Place
from components.azure.roles import Role

NAMESPACE: Final = "Microsoft.ContainerService/managedClusters"
GLOBAL: Final = "global"
"""The location of what has none."""


@dataclass(frozen=True, kw_only=True)
class Alert:
    """When a metric means that somebody should look."""

    metric: str
    above: float
    aggregation: str = "Maximum"
    lasts: str = "PT15M"
    """How long it is looked at; ISO 8601."""
    only: Mapping[str, str] = field(default_factory=dict)
    """Dimension → value."""
    severity: int = 2
    """Azure's: 0 is critical, 4 verbose."""
    says: str


ALERTS: Final[Mapping[str, Alert]] = {
    "api-server-cpu": Alert(
        metric="apiserver_cpu_usage_percentage",
        above=90,
        says="the API server is out of CPU: who lists so much, so often?",
    ),
    "api-server-memory": Alert(
        metric="apiserver_memory_usage_percentage",
        above=90,
        says="the API server is near its memory's end, and is restarted there",
    ),
    "etcd-size": Alert(
        metric="etcd_database_usage_percentage",
        above=75,
        severity=1,
        says="etcd is three quarters full; when it is full, nothing can be written",
    ),
    "node-not-repaired": Alert(
        metric="kube_node_status_condition",
        above=0,
        aggregation="Average",
        lasts="PT30M",
        only={"condition": "Ready", "status2": "NotReady"},
        says="a node is not ready, and AKS, which repairs one after ten minutes, could not",
    ),
}


@dataclass(frozen=True, kw_only=True)
class MonitoringArgs:
    """What is watched."""

    place: Place
    cluster: pulumi.Input[str]
    """ID."""


class Monitoring(pulumi.ComponentResource):
    """Every alert goes to one action group: mail to the subscription's owners, until somebody adds a pager to it."""

    action_group: pulumi.Output[str]

    def __init__(self, name: str, args: MonitoringArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kube-ha:azure:Monitoring", name, None, opts)
        self.name, self.args = name, args
        self.child = pulumi.ResourceOptions(parent=self)
        group = monitor.ActionGroup(
            name,
            resource_group_name=args.place.resource_group,
            location=GLOBAL,
            tags=args.place.tags,
            # What a text message begins with; twelve characters at most.
            group_short_name=name[:12],
            enabled=True,
            arm_role_receivers=[
                monitor.ArmRoleReceiverArgs(name="owners", role_id=Role.OWNER.value, use_common_alert_schema=True)
            ],
            opts=self.child,
        )
        self.action_group = group.id
        for what, alert in ALERTS.items():
            self.alert(f"{name}-{what}", alert)
        self.register_outputs({"actionGroup": self.action_group})

    def alert(self, name: str, alert: Alert) -> None:
        criterion = monitor.MetricCriteriaArgs(
            criterion_type="StaticThresholdCriterion",
            name=alert.metric,
            metric_namespace=NAMESPACE,
            metric_name=alert.metric,
            dimensions=[
                monitor.MetricDimensionArgs(name=dimension, operator="Include", values=[value])
                for dimension, value in alert.only.items()
            ],
            time_aggregation=alert.aggregation,
            operator="GreaterThan",
            threshold=alert.above,
        )
        monitor.MetricAlert(
            name,
            resource_group_name=self.args.place.resource_group,
            location=GLOBAL,
            tags=self.args.place.tags,
            description=alert.says,
            severity=alert.severity,
            enabled=True,
            auto_mitigate=True,
            scopes=[self.args.cluster],
            evaluation_frequency="PT1M",
            window_size=alert.lasts,
            criteria=monitor.MetricAlertSingleResourceMultipleMetricCriteriaArgs(
                odata_type="Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria", all_of=[criterion]
            ),
            actions=[monitor.MetricAlertActionArgs(action_group_id=self.action_group)],
            opts=self.child,
        )
