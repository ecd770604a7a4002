"""What is wrong with a GKE control plane, in queries. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

MINUTE: Final = 60

CLUSTER: Final = "$cluster"


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """When a query of Cloud Monitoring's Prometheus has an answer for long enough, somebody should look."""

    name: str
    query: str
    """With `CLUSTER` where the cluster's name belongs, which nobody knows before it is made."""
    seconds: int
    severity: str
    says: str


def of_cluster(location: str, nodes: int, metrics: Sequence[str]) -> Iterator[Alarm]:
    """The alarms on a cluster.

    Args:
        location: a region or a zone.
        nodes: how many it should have.
        metrics: components of the control plane whose metrics are collected.
    """
    ours = f'cluster="{CLUSTER}",location="{location}"'
    yield Alarm(
        name="errors",
        query=(
            f'sum(rate(apiserver_request_total{{{ours},code=~"5.."}}[5m]))'
            f" / sum(rate(apiserver_request_total{{{ours}}}[5m])) > 0.05"
        ),
        seconds=5 * MINUTE,
        severity="CRITICAL",
        says="more than one of twenty requests to the API fails on its side",
    )
    yield Alarm(
        name="latency",
        query=(
            "histogram_quantile(0.99, sum by (le) (rate(apiserver_request_duration_seconds_bucket"
            f'{{{ours},verb!~"WATCH|CONNECT"}}[5m]))) > 1'
        ),
        seconds=10 * MINUTE,
        severity="WARNING",
        says="one of a hundred requests to the API takes longer than a second, Kubernetes' own objective",
    )
    yield Alarm(
        name="silence",
        query=f"absent(apiserver_request_total{{{ours}}})",
        seconds=5 * MINUTE,
        severity="CRITICAL",
        says="the API tells nothing about itself: it is down, or nobody would notice if it were",
    )
    yield Alarm(
        name="nodes",
        query=f'count(kubernetes_io:node_cpu_allocatable_cores{{cluster_name="{CLUSTER}",location="{location}"}})'
        f" < {nodes}",
        seconds=15 * MINUTE,
        severity="ERROR",
        says=f"fewer than {nodes} nodes for longer than a repair takes: a zone without capacity, or a broken pool",
    )
    if "SCHEDULER" in metrics:
        yield Alarm(
            name="pending",
            query=f'sum(scheduler_pending_pods{{{ours},queue="unschedulable"}}) > 0',
            seconds=15 * MINUTE,
            severity="WARNING",
            says="pods wait for a node that is not there: the other zones have no room for those of a lost one",
        )
