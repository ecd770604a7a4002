"""What etcd's quorum needs to survive."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from components.scenarios import Scenario
from components.topology import MAX_MEMBERS
from policy import declared
from policy.resource import CONTROL_PLANE, Resource
from policy.rule import ALWAYS, Config, Severity, resource_rule

CRITICAL_MACHINES: Final = 5
HEARTBEATS_PER_ELECTION: Final = 5
"""etcd refuses to start below it: its own check of `--election-timeout` against `--heartbeat-interval`."""


@resource_rule(
    types=(CONTROL_PLANE,),
    severity=Severity.HIGH,
    satisfy="Create control planes through components/, or pass components.declaration.declaration() as inputs.",
    levels=ALWAYS,
)
def control_planes_declare_themselves(plane: Resource, config: Config) -> Iterator[str]:
    """Rules on zones and members read what a control plane declares; one that declares nothing is judged by nobody."""
    if declared.scenario(plane) is None:
        got = plane.properties.text("scenario") or "none"
        yield f"declares scenario {got}; one of {', '.join(Scenario)} is accepted."


@resource_rule(
    types=(CONTROL_PLANE,),
    severity=Severity.CRITICAL,
    satisfy="Set kube-ha:etcd.members to 3 or 5.",
    schema={
        "most": {
            "type": "integer",
            "minimum": 1,
            "default": MAX_MEMBERS,
            "description": "Members above which writes cost more than the safety is worth.",
        }
    },
)
def members_are_odd(plane: Resource, config: Config) -> Iterator[str]:
    """An even number of members survives no more losses than one fewer, and has one more to lose."""
    count, most = len(declared.members(plane)), config["most"]
    if not declared.self_managed(plane):
        return
    if count % 2 == 0:
        yield f"{count} etcd members; set {max(count - 1, 1)} or {count + 1}."
    elif count > most:
        yield f"{count} etcd members; set {most} or fewer: each one more costs writes and adds no safety."


@resource_rule(
    types=(CONTROL_PLANE,),
    severity=Severity.CRITICAL,
    satisfy="Name one more zone in kube-ha:zones, or set fewer members.",
)
def no_zone_holds_a_majority(plane: Resource, config: Config) -> Iterator[str]:
    """With three zones or more none may hold so many members that its loss takes the quorum along."""
    members = declared.members(plane)
    zones = Counter(member.zone for member in members)
    if declared.shape(plane).min_zones < 2:  # a scenario that promises nothing about zones
        return
    for zone, count in sorted(zones.items()):
        if count > len(members) // 2 and declared.self_managed(plane):
            yield f"{zone} holds {count} of {len(members)} etcd members, a majority; move some to other zones."


@resource_rule(
    types=(CONTROL_PLANE,),
    severity=Severity.HIGH,
    satisfy="Leave kube-ha:masters and kube-ha:etcd.members out: the critical scenario has 3 and 5.",
)
def critical_has_five_machines(plane: Resource, config: Config) -> Iterator[str]:
    """A critical control plane survives two losses at once, which takes five machines or more and external etcd."""
    if not (declared.self_managed(plane) and declared.scenario(plane) is Scenario.CRITICAL):
        return
    machines = {machine.name for machine in (*declared.masters(plane), *declared.members(plane))}
    if len(machines) < CRITICAL_MACHINES:
        yield f"{len(machines)} machines; a critical control plane has {CRITICAL_MACHINES} or more."
    if plane.properties.flag("externalEtcd") is not True:
        yield "etcd stands on the masters; a critical control plane has it on machines of its own."


@resource_rule(
    types=(CONTROL_PLANE,),
    severity=Severity.MEDIUM,
    satisfy="Set kube-ha:etcd.electionMs to ten times kube-ha:etcd.heartbeatMs.",
)
def elections_outlast_heartbeats(plane: Resource, config: Config) -> Iterator[str]:
    """An election timeout of few heartbeats takes a late packet for a dead leader, and stops writes for an election."""
    heartbeat, election = (plane.properties.number(f"etcd.{name}") for name in ("heartbeatMs", "electionMs"))
    if heartbeat and election and election < HEARTBEATS_PER_ELECTION * heartbeat:
        yield (
            f"electionMs {election:g} is under {HEARTBEATS_PER_ELECTION} heartbeats of {heartbeat:g} ms; "
            f"set {10 * heartbeat:g}."
        )
