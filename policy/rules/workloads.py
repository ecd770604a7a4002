"""What is applied to the cluster beside the control plane."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policy.properties import Properties
from policy.resource import Resource, Stack
from policy.rule import NOT_IN_DEVELOPMENT, Config, Severity, resource_rule, stack_rule

REPLICATED: Final = ("kubernetes:apps/v1:Deployment", "kubernetes:apps/v1:StatefulSet")
BUDGET: Final = "kubernetes:policy/v1:PodDisruptionBudget"
ZONE_LABEL: Final = "topology.kubernetes.io/zone"
HOST_LABEL: Final = "kubernetes.io/hostname"


def replicas(workload: Resource) -> int:
    """How many pods it wants; Kubernetes' default is one."""
    wanted = workload.properties.number("spec.replicas")
    return 1 if wanted is None else int(wanted)


@stack_rule(
    types=REPLICATED,
    severity=Severity.MEDIUM,
    satisfy="Add a PodDisruptionBudget whose selector matches the pods.",
    levels=NOT_IN_DEVELOPMENT,
)
def replicas_have_a_disruption_budget(workload: Resource, stack: Stack, config: Config) -> Iterator[str]:
    """Without a budget a drain of two nodes may take every replica at once."""
    labels = workload.properties.group("spec.template.metadata.labels").values
    budgets = [budget.properties for budget in stack.of(BUDGET) if same_namespace(budget, workload)]
    if replicas(workload) > 1 and not any(selects(budget, labels) for budget in budgets):
        yield f"{replicas(workload)} replicas and no PodDisruptionBudget that selects them; add one."


def same_namespace(one: Resource, other: Resource) -> bool:
    return (one.properties.text("metadata.namespace") or "default") == (
        other.properties.text("metadata.namespace") or "default"
    )


def selects(budget: Properties, labels: Mapping[str, Any]) -> bool:
    """Whether a budget's selector matches pods with these labels."""
    wanted = budget.group("spec.selector.matchLabels").values
    return bool(wanted) and all(labels.get(name) == value for name, value in wanted.items())


@resource_rule(
    types=REPLICATED,
    severity=Severity.MEDIUM,
    satisfy=f"Spread the pods over {ZONE_LABEL} by topologySpreadConstraints or podAntiAffinity.",
)
def replicas_keep_apart(workload: Resource, config: Config) -> Iterator[str]:
    """Replicas that stand together fall together."""
    pod = workload.properties.group("spec.template.spec")
    spread = [constraint.text("topologyKey") for constraint in pod.groups("topologySpreadConstraints")]
    apart = pod.group("affinity.podAntiAffinity")
    spread += [term.text("topologyKey") for term in apart.groups("requiredDuringSchedulingIgnoredDuringExecution")]
    spread += [
        term.text("podAffinityTerm.topologyKey")
        for term in apart.groups("preferredDuringSchedulingIgnoredDuringExecution")
    ]
    if replicas(workload) > 1 and not {ZONE_LABEL, HOST_LABEL} & set(spread):
        yield f"{replicas(workload)} replicas may stand on one node; spread them over {ZONE_LABEL}."
