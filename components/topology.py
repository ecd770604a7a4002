"""Which machines a control plane has, and in which zones they live.

Pure: no Pulumi, no cloud. What a scenario asks for is in `components.scenarios`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from components.scenarios import SHAPES, Scenario, Shape, SnapshotPlan


class TopologyError(ValueError):
    """A topology that would break a promise; the message names the setting, what it got, and what to set instead."""


MEMBERS: Final = "kube-ha:etcd.members"
MASTERS: Final = "kube-ha:masters"

MAX_MEMBERS: Final = 7
"""etcd's own advice (its FAQ, "What is maximum cluster size?"): more members cost writes and add no safety."""

MASTERS_PER_ZONE: Final = 200
"""A zone of the local cloud has addresses for 234 of them, from .21 on (components/local/addresses.py)."""


@dataclass(frozen=True)
class Member:
    """An etcd member: an identity that outlives its machine."""

    name: str
    zone: str


@dataclass(frozen=True)
class Master:
    """A machine that runs the API server, controller manager and scheduler."""

    name: str
    zone: str


@dataclass(frozen=True)
class Topology:
    """Who lives where. Build it with `plan`, which keeps the rules."""

    scenario: Scenario
    zones: tuple[str, ...]
    masters: tuple[Master, ...]
    members: tuple[Member, ...]
    external_etcd: bool
    load_balancer: bool
    snapshots: SnapshotPlan
    promised: tuple[str, ...] = ()
    """What the cloud promises that may be lost, where it keeps masters and members to itself."""

    @property
    def quorum(self) -> int:
        """Members that must be there for a write to be acknowledged."""
        return len(self.members) // 2 + 1

    @property
    def machines(self) -> int:
        """Control-plane machines, balancers not counted."""
        return len(self.masters) + (len(self.members) if self.external_etcd else 0)

    def quorum_without(self, zones: Sequence[str] = (), members: Sequence[str] = ()) -> bool:
        """Whether etcd still has its quorum when these zones and these members are lost."""
        left = [m for m in self.members if m.zone not in zones and m.name not in members]
        return len(left) >= self.quorum

    def serves_without(self, zone: str) -> bool:
        """Whether the API still answers when this zone is lost."""
        return self.quorum_without([zone]) and any(master.zone != zone for master in self.masters)

    @property
    def survives(self) -> tuple[str, ...]:
        """What may be lost at the same time without the API stopping, in words."""
        if not self.members:
            return self.promised
        spare = len(self.members) - self.quorum
        losses = [f"any {spare} etcd member{'s' if spare > 1 else ''}"] if spare else []
        if all(self.serves_without(zone) for zone in self.zones):
            losses.append("any one zone")
        if spare and all(
            self.quorum_without([zone], [member.name])
            for zone in self.zones
            for member in self.members
            if member.zone != zone
        ):
            losses.append("any one zone and one member of another zone")
        if len(self.masters) > 1:
            losses.append(f"any {len(self.masters) - 1} masters' API servers")
        pairs = [pair for pair in combinations(self.zones, 2) if self.quorum_without(pair)]
        losses.extend(f"zones {first} and {second} together" for first, second in pairs)
        return tuple(losses)


def spread(count: int, zones: Sequence[str]) -> tuple[str, ...]:
    """The zone of each of `count` machines, as even as can be, first zones first."""
    return tuple(zones[index % len(zones)] for index in range(count))


def plan(
    scenario: Scenario, zones: Sequence[str], *, masters: int | None = None, members: int | None = None
) -> Topology:
    """The topology of a scenario over zones, with the counts overridden where the stack says so.

    Raises:
        TopologyError: a rule of the README's scenario matrix would be broken.
    """
    shape = SHAPES[scenario]
    check_zones(scenario, zones, shape.min_zones)
    used = tuple(zones)
    if shape.external_etcd:
        member_count = shape.members if members is None else members
        master_count = max(shape.masters, len(used)) if masters is None else masters
    else:
        member_count = master_count = stacked_count(shape, masters, members)
    check_members(scenario, member_count, MEMBERS if masters is None or shape.external_etcd else MASTERS)
    check_masters(scenario, master_count, used)
    if not shape.external_etcd:
        used = used[:master_count]
    topology = Topology(
        scenario=scenario,
        zones=used,
        masters=tuple(Master(f"master-{n}", zone) for n, zone in enumerate(spread(master_count, used), 1)),
        members=tuple(
            Member(f"{'member' if shape.external_etcd else 'master'}-{n}", zone)
            for n, zone in enumerate(spread(member_count, used), 1)
        ),
        external_etcd=shape.external_etcd,
        load_balancer=shape.load_balancer,
        snapshots=shape.snapshots,
    )
    check_promises(topology)
    return topology


def managed(scenario: Scenario, zones: Sequence[str], least: int, survives: tuple[str, ...]) -> Topology:
    """The topology of a control plane whose machines are the cloud's own affair.

    Args:
        zones: where its nodes live.
        least: how many of them the scenario needs there.
        survives: what the cloud promises.

    Raises:
        TopologyError: too few zones, or one twice.
    """
    check_zones(scenario, zones, least)
    return Topology(
        scenario=scenario,
        zones=tuple(zones),
        masters=(),
        members=(),
        external_etcd=False,
        load_balancer=False,
        snapshots=SHAPES[scenario].snapshots,
        promised=survives,
    )


def stacked_count(shape: Shape, masters: int | None, members: int | None) -> int:
    """Masters of a stacked control plane: each carries one member, so the two counts are one."""
    if masters is not None and members is not None and masters != members:
        raise TopologyError(
            f"{MEMBERS}: {members} members cannot live on {masters} masters ({MASTERS}): in this scenario each master "
            "carries one. Set only one of the two, or use the critical scenario."
        )
    return next((count for count in (masters, members) if count is not None), shape.masters)


def check_zones(scenario: Scenario, zones: Sequence[str], needed: int) -> None:
    """Enough zones, none twice."""
    twice = [zone for zone, times in Counter(zones).items() if times > 1]
    if twice:
        raise TopologyError(f"kube-ha:zones: {', '.join(twice)} is named twice; name each zone once.")
    if len(zones) < needed:
        instead = ", or set kube-ha:scenario to development" if scenario is not Scenario.DEVELOPMENT else ""
        raise TopologyError(
            f"kube-ha:zones: {len(zones)} ({', '.join(zones) or 'none'}) for the {scenario} scenario, which needs "
            f"{needed} so that the loss of one leaves a quorum. Name {needed} or more zones{instead}."
        )


def check_members(scenario: Scenario, count: int, key: str) -> None:
    """An odd number, within what etcd is good for, and what the scenario promises; `key` is where it was set."""
    least = SHAPES[scenario].members
    if scenario is Scenario.DEVELOPMENT and count != least:
        raise TopologyError(
            f"{key}: {count} for the development scenario, which is one machine; leave it out, or set kube-ha:scenario "
            "to production."
        )
    if not least <= count <= MAX_MEMBERS:
        raise TopologyError(
            f"{key}: {count} for the {scenario} scenario; set an odd number from {least} to {MAX_MEMBERS}."
        )
    if count % 2 == 0:
        raise TopologyError(
            f"{key}: {count} is even. A quorum of {count} survives no more losses than one of {count - 1}; set "
            f"{count - 1} or {count + 1}."
        )


def check_masters(scenario: Scenario, count: int, zones: Sequence[str]) -> None:
    """What the scenario promises at least, with external etcd one per zone, and no more than have addresses."""
    shape, most = SHAPES[scenario], MASTERS_PER_ZONE * len(zones)
    least = max(shape.masters, len(zones)) if shape.external_etcd else shape.masters
    if not least <= count <= most:
        raise TopologyError(
            f"{MASTERS}: {count} for the {scenario} scenario over {len(zones)} zone(s); set {least} to {most}."
        )


def check_promises(topology: Topology) -> None:
    """What must hold whatever was overridden; the last line of defence behind the checks of the counts."""
    per_zone = Counter(member.zone for member in topology.members)
    if len(topology.zones) >= 3:
        for zone, count in per_zone.items():
            if count >= topology.quorum:
                raise TopologyError(
                    f"kube-ha:zones: {zone} would hold {count} of {len(topology.members)} etcd members, a majority: "
                    "its loss would stop the API. Name more zones."
                )
    lonely = set(per_zone) - {master.zone for master in topology.masters}
    if lonely:
        raise TopologyError(
            f"{MASTERS}: zones {', '.join(sorted(lonely))} would have an etcd member and no master; set "
            f"{len(topology.zones)} or more masters."
        )
    if topology.scenario is Scenario.CRITICAL:
        if topology.machines < 5:
            raise TopologyError(f"{MASTERS}: {topology.machines} machines; critical means five or more.")
        lost = [zone for zone in topology.zones if not topology.serves_without(zone)]
        if lost:
            raise TopologyError(f"kube-ha:zones: the loss of {', '.join(lost)} would stop the API; name more zones.")
