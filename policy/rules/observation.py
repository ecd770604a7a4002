"""What must be seen: logs, metrics, alarms."""

from collections.abc import Iterator
from typing import Final

from policy.clusters import AKS, EKS, GKE, MANAGED
from policy.properties import Properties
from policy.resource import CONTROL_PLANE, Resource, Stack
from policy.rule import Config, Framework, Identifier, Severity, checkov, resource_rule, stack_rule

EKS_LOGS: Final = ("api", "audit", "authenticator", "controllerManager", "scheduler")
DIAGNOSTICS: Final = ("azure-native:monitor:DiagnosticSetting", "azure-native:insights:DiagnosticSetting")
AUDIT_LOGS: Final = ("kube-audit", "kube-audit-admin")
ALARMS: Final = (
    "aws:cloudwatch/metricAlarm:MetricAlarm",
    "aws:cloudwatch/compositeAlarm:CompositeAlarm",
    "azure-native:monitor:MetricAlert",
    "azure-native:insights:MetricAlert",
    "azure-native:alertsmanagement:PrometheusRuleGroup",
    "gcp:monitoring/alertPolicy:AlertPolicy",
)
LOCAL_PLANE: Final = "kube-ha:local:ControlPlane"


@stack_rule(
    types=MANAGED,
    severity=Severity.HIGH,
    satisfy=(
        "EKS: all five enabledClusterLogTypes. AKS: a DiagnosticSetting with the category kube-audit. "
        "GKE: loggingConfig with SYSTEM_COMPONENTS and APISERVER."
    ),
    identifiers=(
        *checkov("CKV_AWS_37", "CKV_GCP_1"),
        Identifier(Framework.CIS_EKS, "2.1.1"),
        Identifier(Framework.CIS_AKS, "2.1.1"),
        Identifier(Framework.CIS_GKE, "5.7.1"),
    ),
)
def clusters_log_the_control_plane(cluster: Resource, stack: Stack, config: Config) -> Iterator[str]:
    """What a managed control plane did is only known afterwards if its logs were kept while it did it."""
    given = cluster.properties
    if cluster.is_a(EKS):
        missing = [kind for kind in EKS_LOGS if kind not in given.texts("enabledClusterLogTypes")]
        if missing:
            yield f"enabledClusterLogTypes lacks {', '.join(missing)}; add them."
    elif cluster.is_a(AKS):
        settings = stack.about(cluster, "resourceUri", *DIAGNOSTICS)
        if not any(keeps_audit(setting.properties) for setting in settings):
            yield "no DiagnosticSetting keeps kube-audit or kube-audit-admin; add one."
    else:
        yield from lacks(given, "loggingConfig.enableComponents")


def keeps_audit(setting: Properties) -> bool:
    """Whether a diagnostic setting keeps the API server's audit log, by name or with everything."""
    return any(
        log.flag("enabled") is not False
        and (log.text("category") in AUDIT_LOGS or log.text("categoryGroup") in ("allLogs", "audit"))
        for log in setting.groups("logs")
    )


def lacks(cluster: Properties, path: str) -> Iterator[str]:
    """GKE: the components of the control plane that are left out; by default only the system's pods are in."""
    missing = [part for part in ("SYSTEM_COMPONENTS", "APISERVER") if part not in cluster.texts(path)]
    if missing:
        yield f"{path} lacks {', '.join(missing)}; add them."


@resource_rule(
    types=(AKS, GKE),
    severity=Severity.MEDIUM,
    satisfy="AKS: azureMonitorProfile.metrics.enabled. GKE: monitoringConfig with SYSTEM_COMPONENTS and APISERVER.",
    identifiers=(*checkov("CKV_GCP_8"), Identifier(Framework.CIS_GKE, "5.7.1")),
)
def clusters_report_metrics(cluster: Resource, config: Config) -> Iterator[str]:
    """An API server that gets slow is seen in its metrics hours before anybody complains."""
    if cluster.is_a(AKS):
        if cluster.properties.flag("azureMonitorProfile.metrics.enabled") is not True:
            yield "azureMonitorProfile.metrics.enabled is not set; set it to true."
    else:
        yield from lacks(cluster.properties, "monitoringConfig.enableComponents")


@stack_rule(
    types=(CONTROL_PLANE, *MANAGED),
    severity=Severity.HIGH,
    satisfy="Add an alarm of the cloud to the program: on healthy masters, on the API's errors, on etcd's leader.",
)
def somebody_is_told(plane: Resource, stack: Stack, config: Config) -> Iterator[str]:
    """High availability hides the first failure; without an alarm the second one is the first that anybody sees."""
    if not plane.is_a(LOCAL_PLANE) and not any(stack.of(*ALARMS)):
        yield "no alarm in the program; add one."
