"""Managed Prometheus for a cluster on Azure: where samples go, and which of them mean that somebody should look."""

from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_azure_native import alertsmanagement, monitor

from components.azure.place import Place

STREAM: Final = "Microsoft-PrometheusMetrics"
DESTINATION: Final = "workspace"

ZONE: Final = "label_topology_kubernetes_io_zone"
"""As kube-state-metrics spells the label of a zone."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """When samples mean that somebody should look."""

    name: str
    expression: str
    lasts: str
    """How long it has to be so; ISO 8601."""
    severity: int
    """Azure's: 0 is critical, 4 verbose."""
    says: str


RULES: Final = (
    Rule(
        name="ZoneWithoutReadyNode",
        expression=(
            f"sum by ({ZONE}) (kube_node_status_condition{{condition='Ready', status='true'}} "
            f"* on (node) group_left ({ZONE}) kube_node_labels) == 0"
        ),
        lasts="PT5M",
        severity=1,
        says="no node of a zone is ready: the next loss is felt",
    ),
    Rule(
        name="SystemPodsMissing",
        expression=(
            "kube_deployment_status_replicas_available{namespace='kube-system'} "
            "< kube_deployment_spec_replicas{namespace='kube-system'}"
        ),
        lasts="PT15M",
        severity=2,
        says="DNS, metrics or another part of the cluster has fewer pods than it should",
    ),
)


@dataclass(frozen=True, kw_only=True)
class PrometheusArgs:
    """What is watched, and who is told."""

    place: Place
    cluster: pulumi.Input[str]
    """ID."""
    action_group: pulumi.Input[str]


class Prometheus(pulumi.ComponentResource):
    """A workspace for samples, the cluster's way to it, and rules over them."""

    def __init__(self, name: str, args: PrometheusArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kube-ha:azure:Prometheus", name, None, opts)
        self.name, self.args = name, args
        self.child = pulumi.ResourceOptions(parent=self)
        self.workspace = monitor.AzureMonitorWorkspace(
            name,
            resource_group_name=args.place.resource_group,
            location=args.place.location,
            tags=args.place.tags,
            opts=self.child,
        )
        monitor.DataCollectionRuleAssociation(
            name,
            association_name="ManagedPrometheus",
            resource_uri=args.cluster,
            data_collection_rule_id=self.collection().id,
            opts=self.child,
        )
        self.rules()
        self.register_outputs({"workspaceId": self.workspace.id})

    def collection(self) -> monitor.DataCollectionRule:
        """The way that samples take."""
        place = self.args.place
        endpoint = monitor.DataCollectionEndpoint(
            self.name,
            resource_group_name=place.resource_group,
            location=place.location,
            tags=place.tags,
            kind="Linux",
            opts=self.child,
        )
        source = monitor.PrometheusForwarderDataSourceArgs(name="prometheus", streams=[STREAM])
        workspace = monitor.MonitoringAccountDestinationArgs(name=DESTINATION, account_resource_id=self.workspace.id)
        return monitor.DataCollectionRule(
            f"{self.name}-prometheus",
            resource_group_name=place.resource_group,
            location=place.location,
            tags=place.tags,
            kind="Linux",
            data_collection_endpoint_id=endpoint.id,
            data_sources=monitor.DataCollectionRuleDataSourcesArgs(prometheus_forwarder=[source]),
            destinations=monitor.DataCollectionRuleDestinationsArgs(monitoring_accounts=[workspace]),
            data_flows=[monitor.DataFlowArgs(streams=[STREAM], destinations=[DESTINATION])],
            opts=self.child,
        )

    def rules(self) -> None:
        told = alertsmanagement.PrometheusRuleGroupActionArgs(action_group_id=self.args.action_group)
        alertsmanagement.PrometheusRuleGroup(
            self.name,
            resource_group_name=self.args.place.resource_group,
            location=self.args.place.location,
            tags=self.args.place.tags,
            # Rules see the samples of this cluster only, also where a workspace has those of others.
            scopes=[self.workspace.id, self.args.cluster],
            enabled=True,
            interval="PT1M",
            rules=[
                alertsmanagement.PrometheusRuleArgs(
                    alert=rule.name,
                    expression=rule.expression,
                    for_=rule.lasts,
                    severity=rule.severity,
                    annotations={"description": rule.says},
                    actions=[told],
                    enabled=True,
                )
                for rule in RULES
            ],
            opts=self.child,
        )
