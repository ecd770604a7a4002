"""How the add-ons that a cluster cannot do without are spread over its zones: one place for every managed cloud. Pure.

Where a cloud lets the add-on's configuration say it, the program does. `manifests` has the rest, for
`kubectl apply --server-side`: parts of Deployments that are there already, and disruption budgets.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from components.clouds import Cloud

ZONE_LABEL: Final = "topology.kubernetes.io/zone"
HOST_LABEL: Final = "kubernetes.io/hostname"
NAMESPACE: Final = "kube-system"

Object = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class AddOn:
    """A Deployment of the cloud's own that more than one workload needs."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    """Of its pods, by which they are selected."""
    budget: bool = True
    """Whether it lacks a disruption budget: with two for the same pod no eviction succeeds at all."""


ADD_ONS: Final[Mapping[Cloud, tuple[AddOn, ...]]] = {
    Cloud.AWS: (AddOn(name="metrics-server", labels={"app.kubernetes.io/name": "metrics-server"}, budget=False),),
    Cloud.AZURE: (
        AddOn(name="coredns", labels={"k8s-app": "kube-dns"}, budget=False),
        AddOn(name="konnectivity-agent", labels={"app": "konnectivity-agent"}, budget=False),
        AddOn(name="metrics-server", labels={"k8s-app": "metrics-server"}, budget=False),
    ),
    Cloud.GCP: (AddOn(name="konnectivity-agent", labels={"k8s-app": "konnectivity-agent"}),),
}
"""CoreDNS of EKS is not here: its configuration says it (`components/aws/add_ons.py`); nor is kube-dns of GKE: over
several zones its clusters resolve by Cloud DNS (`components/gcp/levers.py`). Names, labels and budgets are
those that the clouds document; none publishes them in a form that can be checked offline."""


def anti_affinity(labels: Mapping[str, str]) -> Object:
    """Pods keep off zones, then nodes, that have one of them already. Preferred: with a zone lost they still run."""

    def away_from(topology_key: str, weight: int) -> Object:
        selector = {"matchLabels": dict(labels)}
        return {"weight": weight, "podAffinityTerm": {"labelSelector": selector, "topologyKey": topology_key}}

    terms = [away_from(ZONE_LABEL, 100), away_from(HOST_LABEL, 50)]
    return {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": terms}}


def spread_over_zones(labels: Mapping[str, str]) -> list[Object]:
    """At most one pod more in a zone than in another."""
    return [
        {
            "maxSkew": 1,
            "topologyKey": ZONE_LABEL,
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": dict(labels)},
        }
    ]


def manifests(cloud: Cloud, zones: int) -> list[Object]:
    """What to apply to a cluster whose nodes are in this many zones; nothing for one."""
    if zones < 2:
        return []
    objects = []
    for add_on in ADD_ONS[cloud]:
        objects.append(deployment(add_on))
        if add_on.budget:
            objects.append(budget(add_on))
    return objects


def deployment(add_on: AddOn) -> Object:
    """The part of the Deployment that is ours; how many replicas there are stays with the cloud's own scaler."""
    pod = {
        "affinity": anti_affinity(add_on.labels),
        "topologySpreadConstraints": spread_over_zones(add_on.labels),
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": add_on.name, "namespace": NAMESPACE},
        "spec": {"template": {"spec": pod}},
    }


def budget(add_on: AddOn) -> Object:
    """One pod at a time may be evicted."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": add_on.name, "namespace": NAMESPACE},
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": dict(add_on.labels)}},
    }
