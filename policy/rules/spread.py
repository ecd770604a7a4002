"""What must be spread over zones, so that the loss of one is not the loss of all."""

import re
from collections.abc import Iterator
from typing import Final

from policy import declared
from policy.clusters import AKS, EKS, MANAGED
from policy.properties import UndecidedError
from policy.resource import CONTROL_PLANE, Resource, Stack
from policy.rule import Config, Severity, resource_rule, stack_rule

LOCAL_GROUP: Final = "local:index:MachineGroup"
AWS_GROUP: Final = "aws:autoscaling/group:Group"
AWS_SUBNET: Final = "aws:ec2/subnet:Subnet"
AKS_POOL: Final = "azure-native:containerservice:AgentPool"

GCP_ZONE: Final = re.compile(r"-[a-z]$")
"""A zone's name is its region's and a letter: europe-west1-b."""

ZONES_SCHEMA: Final = {
    "zones": {"type": "integer", "minimum": 1, "default": 3, "description": "Zones that a managed cluster must span."}
}


@resource_rule(
    types=(CONTROL_PLANE,),
    severity=Severity.CRITICAL,
    satisfy="Name three or more zones in kube-ha:zones, or leave it out.",
)
def masters_span_zones(plane: Resource, config: Config) -> Iterator[str]:
    """The API must answer when a zone is lost, so masters stand in as many zones as the scenario promises."""
    needed = declared.shape(plane).min_zones
    zones = {master.zone for master in declared.masters(plane)}
    if declared.self_managed(plane) and len(zones) < needed:
        names = ", ".join(sorted(zones)) or "none"
        yield f"masters stand in {len(zones)} zone(s) ({names}); this scenario needs {needed}."


@resource_rule(
    types=(CONTROL_PLANE,),
    severity=Severity.HIGH,
    satisfy="Set kube-ha:masters to at least the number of zones.",
)
def every_member_zone_has_a_master(plane: Resource, config: Config) -> Iterator[str]:
    """A master reaches etcd in its own zone first; a zone with a member and no master waits on another zone."""
    with_master = {master.zone for master in declared.masters(plane)}
    lonely = sorted({member.zone for member in declared.members(plane)} - with_master)
    if len(with_master) < declared.shape(plane).min_zones:
        return  # said by masters_span_zones
    if declared.self_managed(plane) and lonely:
        yield f"{', '.join(lonely)}: an etcd member and no master; put a master into each zone of a member."


@stack_rule(
    types=(CONTROL_PLANE,),
    severity=Severity.CRITICAL,
    satisfy="Let components.topology place the machines; do not move a group's subnet or slot by hand.",
)
def machines_stand_where_declared(plane: Resource, stack: Stack, config: Config) -> Iterator[str]:
    """What a program declares is only worth what it builds: its machine groups must cover the declared zones."""
    wanted = set(plane.properties.texts("zones"))
    real = {zone for zones in machine_zones(plane, stack) for zone in zones}
    if not real:
        return
    if missing := sorted(wanted - real):
        yield f"no machine group reaches {', '.join(missing)}; its zones are {', '.join(sorted(real))}."
    if stray := sorted(real - wanted):
        yield f"machine groups reach {', '.join(stray)}, which is not among the declared zones."


def machine_zones(plane: Resource, stack: Stack) -> Iterator[set[str]]:
    """The zones of each machine group that a control plane made."""
    for group in stack.inside(plane, LOCAL_GROUP):
        if group.properties.text("role") != "balancer":
            yield {slot.text("zone") for slot in group.properties.groups("slots")} - {""}
    for group in stack.inside(plane, AWS_GROUP):
        yield subnet_zones(group, "vpcZoneIdentifiers", stack)


def subnet_zones(resource: Resource, path: str, stack: Stack) -> set[str]:
    """The zones of the subnets that a property takes from the same program."""
    zones = {subnet.properties.text("availabilityZone") for subnet in stack.sources(resource, path, AWS_SUBNET)}
    return zones - {""}


@stack_rule(
    types=MANAGED,
    severity=Severity.CRITICAL,
    satisfy="EKS: subnets in three zones. AKS: availabilityZones of every system pool. GKE: a region as location.",
    schema=ZONES_SCHEMA,
)
def clusters_span_zones(cluster: Resource, stack: Stack, config: Config) -> Iterator[str]:
    """A managed control plane and the nodes of its system pods survive the loss of a zone only where they span some."""
    needed: int = config["zones"]
    match cluster.type:
        case _ if cluster.is_a(EKS):
            yield from eks_zones(cluster, stack, needed)
        case _ if cluster.is_a(AKS):
            yield from aks_zones(cluster, stack, needed)
        case _:
            yield from gke_zones(cluster, needed)


def eks_zones(cluster: Resource, stack: Stack, needed: int) -> Iterator[str]:
    zones = subnet_zones(cluster, "vpcConfig", stack)
    if not zones:  # they come from outside of this program
        raise UndecidedError("vpcConfig.subnetIds")
    if len(zones) < needed:
        yield f"subnets in {len(zones)} zone(s) ({', '.join(sorted(zones))}); add subnets until there are {needed}."


def aks_zones(cluster: Resource, stack: Stack, needed: int) -> Iterator[str]:
    pools = list(cluster.properties.groups("agentPoolProfiles"))
    pools += [pool.properties for pool in stack.about(cluster, "resourceName", AKS_POOL)]
    for pool in pools:
        zones = set(pool.texts("availabilityZones"))
        if pool.text("mode") == "System" and len(zones) < needed:
            name = pool.text("name") or "without a name"
            yield f"system pool {name} has {len(zones)} zone(s); set availabilityZones to {needed}."


def gke_zones(cluster: Resource, needed: int) -> Iterator[str]:
    location = cluster.properties.text("location")
    if GCP_ZONE.search(location):
        yield f"location {location} is one zone; set the region {location.rsplit('-', 1)[0]}."
    elif cluster.properties.has("nodeLocations"):
        zones = cluster.properties.texts("nodeLocations")
        if len(set(zones)) < needed:
            yield f"nodeLocations has {len(set(zones))} zone(s); name {needed} or leave it out."
