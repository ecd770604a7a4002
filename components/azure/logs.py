"""Where a managed cluster on Azure writes what it did."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_azure_native import monitor, operationalinsights

from components.azure.place import Place

CONTAINER_INSIGHTS: Final = "Microsoft-ContainerInsights-Group-Default"
"""The streams of Container insights, all in one."""
DESTINATION: Final = "workspace"


@dataclass(frozen=True, kw_only=True)
class LogsArgs:
    """What a workspace is made from."""

    place: Place
    days: int


class Logs(pulumi.ComponentResource):
    """A workspace, made before the cluster that is told of it."""

    workspace_id: pulumi.Output[str]

    def __init__(self, name: str, args: LogsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kube-ha:azure:Logs", name, None, opts)
        self.name, self.args = name, args
        self.child = pulumi.ResourceOptions(parent=self)
        workspace = operationalinsights.Workspace(
            name,
            resource_group_name=args.place.resource_group,
            location=args.place.location,
            tags=args.place.tags,
            sku=operationalinsights.WorkspaceSkuArgs(name="PerGB2018"),
            retention_in_days=args.days,
            opts=self.child,
        )
        self.workspace_id = workspace.id
        self.register_outputs({"workspaceId": self.workspace_id})

    def collect(self, cluster: pulumi.Input[str], categories: Sequence[str]) -> None:
        """Have a cluster write here: its control plane by categories, its nodes and pods by Container insights."""
        monitor.DiagnosticSetting(
            f"{self.name}-control-plane",
            resource_uri=cluster,
            workspace_id=self.workspace_id,
            # A table for each kind, rather than all of them in one.
            log_analytics_destination_type="Dedicated",
            logs=[monitor.DiagnosticsLogSettingsArgs(category=category, enabled=True) for category in categories],
            opts=self.child,
        )
        monitor.DataCollectionRuleAssociation(
            f"{self.name}-container-insights",
            association_name="ContainerInsightsExtension",
            resource_uri=cluster,
            data_collection_rule_id=self.container_insights().id,
            opts=self.child,
        )

    def container_insights(self) -> monitor.DataCollectionRule:
        extension = monitor.ExtensionDataSourceArgs(
            name="ContainerInsightsExtension",
            extension_name="ContainerInsights",
            streams=[CONTAINER_INSIGHTS],
            extension_settings={
                "dataCollectionSettings": {
                    "interval": "1m",
                    "namespaceFilteringMode": "Off",
                    "enableContainerLogV2": True,
                }
            },
        )
        workspace = monitor.LogAnalyticsDestinationArgs(name=DESTINATION, workspace_resource_id=self.workspace_id)
        return monitor.DataCollectionRule(
            f"{self.name}-container-insights",
            resource_group_name=self.args.place.resource_group,
            location=self.args.place.location,
            tags=self.args.place.tags,
            kind="Linux",
            data_sources=monitor.DataCollectionRuleDataSourcesArgs(extensions=[extension]),
            destinations=monitor.DataCollectionRuleDestinationsArgs(log_analytics=[workspace]),
            data_flows=[monitor.DataFlowArgs(streams=[CONTAINER_INSIGHTS], destinations=[DESTINATION])],
            opts=self.child,
        )
