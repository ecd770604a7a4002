"""What the cluster needs once: where CoreDNS lives, how it may be disturbed, and who installs it."""

from collections.abc import Iterable
from typing import Any, Final

from components.node.machine import Kubernetes

NAMESPACE: Final = "kube-system"
MARKER: Final = "kube-ha-addons"
"""ConfigMap that says which version installed the addons, and from which inputs."""

DNS_READINESS_PROBE: Final = {"periodSeconds": 1, "failureThreshold": 30}
"""kubeadm has it asked every 10 s, and a kubelet that has just started waits for up to as long before it asks at all:
on a machine that is back, one that serves is Ready so much later. After 30 s without an answer it is out of service, as
there."""

_DNS_LABELS: Final = {"k8s-app": "kube-dns"}


class VersionError(ValueError):
    """Not a Kubernetes version."""


def dns_replicas(kubernetes: Kubernetes) -> int:
    """Two, where there is more than one machine to run them on."""
    return 2 if kubernetes.masters > 1 else 1


def dns_patch(kubernetes: Kubernetes) -> dict[str, Any]:
    """CoreDNS's Deployment beyond kubeadm's own (kubeadm's patch target `corednsdeployment`).

    Replicas are in different zones by requirement wherever a third zone is left to move to. As a preference it would
    not hold: the first master that is up gets both.
    """
    replicas = dns_replicas(kubernetes)
    pod: dict[str, Any] = {"containers": [{"name": "coredns", "readinessProbe": DNS_READINESS_PROBE}]}
    if len(kubernetes.zones) > replicas:
        apart = {
            "labelSelector": {"matchLabels": _DNS_LABELS},
            "topologyKey": "topology.kubernetes.io/zone",
        }
        pod["affinity"] = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [apart]}}
    return {"spec": {"replicas": replicas, "template": {"spec": pod}}}


def manifests(kubernetes: Kubernetes) -> list[dict[str, Any]]:
    """Objects beyond kubeadm's addons."""
    return [
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": "coredns", "namespace": NAMESPACE},
            "spec": {
                # One at a time. "At least one" would keep the only replica of development from ever being drained.
                "maxUnavailable": 1,
                "selector": {"matchLabels": _DNS_LABELS},
            },
        }
    ]


def marker(version: str, fingerprint: str) -> dict[str, Any]:
    """The ConfigMap that is written last."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": MARKER, "namespace": NAMESPACE},
        "data": {"version": version, "fingerprint": fingerprint},
    }


def parse_version(version: str) -> tuple[int, int, int]:
    """`v1.37.2` as numbers to compare.

    Raises:
        VersionError: it is something else.
    """
    try:
        major, minor, patch = (int(part) for part in version.removeprefix("v").partition("-")[0].split("."))
    except ValueError:
        raise VersionError(f"{version!r} is not a Kubernetes version such as v1.37.2") from None
    return major, minor, patch


def may_install(version: str, installed: str | None, masters: Iterable[str]) -> bool:
    """Whether a master of `version` may install addons: nobody newer did, and no master is older.

    The last condition leaves an upgrade of kube-proxy to the last master that rolls: it may not be newer than any
    API server.
    """
    mine = parse_version(version)
    return (installed is None or parse_version(installed) <= mine) and all(
        parse_version(master) >= mine for master in masters
    )
