"""What a control plane says of itself before anything exists: the inputs of its component resource. Pure.

Everything here is known in a preview, when most properties of machines and networks are not. The policy pack reads it,
so a stack whose declaration would break the promise is refused before its first resource is made.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from components.clouds import Management
from components.managed import PLANES
from components.node.health import LOAD_BALANCER, grace_period_seconds, shutdown_delay_seconds
from components.scenarios import SnapshotPlan
from components.settings import Settings
from components.topology import Master, Member, Topology

READINESS_PATH: Final = "/readyz"
"""What every load balancer asks masters for: unlike a TCP connection it fails while a master cannot serve."""


def declaration(settings: Settings, topology: Topology) -> dict[str, Any]:
    """The inputs of a control plane's component resource.

    Keys are camelCase as all properties that the engine sees; every value is a plain one, never an output.
    """
    common = {
        "cloud": str(settings.cloud),
        "controlPlane": str(settings.control_plane),
        "scenario": str(topology.scenario),
        "region": settings.region,
        "zones": list(topology.zones),
        "masters": placed(topology.masters),
        "members": placed(topology.members),
        "survives": list(topology.survives),
    }
    own = managed(settings) if settings.control_plane is Management.MANAGED else self_managed(settings, topology)
    return {**common, **own}


def managed(settings: Settings) -> dict[str, Any]:
    """What is asked of a cloud's own control plane; how it is made is the cloud's affair."""
    plane = PLANES[settings.cloud][settings.scenario]
    return {
        "kubernetesVersion": settings.managed_version or "the cloud's default",
        "tier": plane.tier,
        "agreement": plane.agreement.figure,
        "endpoint": reach(settings),
        "nodes": {"type": settings.nodes.type or "the scenario's", "perZone": settings.nodes.per_zone},
    }


def self_managed(settings: Settings, topology: Topology) -> dict[str, Any]:
    """How machines, etcd and the load balancer are set."""
    return {
        "kubernetesVersion": settings.kubernetes_version,
        "networkPlugin": str(settings.network_plugin),
        "externalEtcd": topology.external_etcd,
        "authorities": {"signing": settings.authorities.signing, "trusted": list(settings.authorities.trusted)},
        "etcd": {"heartbeatMs": settings.etcd.heartbeat_ms, "electionMs": settings.etcd.election_ms},
        "loadBalancer": load_balancer(settings) if topology.load_balancer else None,
        "shutdownDelaySeconds": shutdown_delay_seconds(settings.cloud),
        "gracePeriodSeconds": grace_period_seconds(settings.cloud),
        "snapshots": snapshots(topology.snapshots),
    }


def placed(machines: Sequence[Master | Member]) -> list[dict[str, str]]:
    """Machines with their zones."""
    return [{"name": machine.name, "zone": machine.zone} for machine in machines]


def load_balancer(settings: Settings) -> dict[str, Any]:
    """Who reaches the API through the load balancer, and how that asks masters whether they serve."""
    check = LOAD_BALANCER[settings.cloud]
    return {
        **reach(settings),
        "healthCheck": {
            "protocol": "HTTPS",
            "path": READINESS_PATH,
            "intervalSeconds": check.interval_seconds,
            "threshold": check.threshold,
        },
    }


def reach(settings: Settings) -> dict[str, Any]:
    """From where the API can be reached."""
    cidrs = [str(cidr) for cidr in settings.load_balancer.cidrs]
    return {"public": settings.load_balancer.public, "cidrs": cidrs}


def snapshots(plan: SnapshotPlan) -> dict[str, Any]:
    """When etcd is snapshotted, and for how long snapshots are kept, in seconds."""

    def seconds(time: timedelta) -> int:
        return int(time.total_seconds())

    return {
        "intervalSeconds": seconds(plan.interval),
        "keptSeconds": max(seconds(tier.keep) for tier in plan.tiers),
        "locked": plan.locked,
    }
