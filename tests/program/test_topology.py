"""The scenario matrix and its rules, for every topology that a stack can ask for."""

from collections import Counter
from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.scenarios import SHAPES, Scenario
from components.topology import Topology, TopologyError, plan, spread

ZONES = tuple(f"zone-{letter}" for letter in "abcdefg")


@st.composite
def topologies(draw: st.DrawFn) -> Topology:
    """Any topology that `plan` does not refuse."""
    while True:
        with suppress(TopologyError):
            return plan(
                draw(st.sampled_from(Scenario)),
                ZONES[: draw(st.integers(1, len(ZONES)))],
                masters=draw(st.none() | st.integers(0, 9)),
                members=draw(st.none() | st.integers(0, 9)),
            )


@given(topologies())
def test_members_are_odd(topology: Topology) -> None:
    assert len(topology.members) % 2 == 1


@given(topologies())
def test_no_zone_holds_a_majority_where_there_are_three(topology: Topology) -> None:
    if len(topology.zones) >= 3:
        per_zone = Counter(member.zone for member in topology.members)
        assert max(per_zone.values()) <= len(topology.members) // 2


@given(topologies())
def test_losing_any_one_zone_leaves_a_serving_control_plane(topology: Topology) -> None:
    if topology.scenario is not Scenario.DEVELOPMENT:
        for zone in topology.zones:
            left = sum(member.zone != zone for member in topology.members)
            assert left > len(topology.members) / 2
            assert any(master.zone != zone for master in topology.masters)


@given(topologies())
def test_every_zone_with_a_member_has_a_master(topology: Topology) -> None:
    assert {member.zone for member in topology.members} <= {master.zone for master in topology.masters}


@given(topologies())
def test_its_zones_are_those_in_which_something_is(topology: Topology) -> None:
    assert set(topology.zones) == {master.zone for master in topology.masters}


@given(topologies())
def test_stacked_members_live_on_masters(topology: Topology) -> None:
    masters = {master.name: master.zone for master in topology.masters}
    members = {member.name: member.zone for member in topology.members}
    assert (masters == members) is not topology.external_etcd


@given(topologies())
def test_critical_has_five_machines_and_a_master_per_zone(topology: Topology) -> None:
    if topology.scenario is Scenario.CRITICAL:
        assert topology.machines >= 5
        assert topology.external_etcd
        assert {master.zone for master in topology.masters} == set(topology.zones)


@given(topologies())
def test_what_it_says_it_survives_it_survives(topology: Topology) -> None:
    spare = (len(topology.members) - 1) // 2
    assert any("etcd member" in loss for loss in topology.survives) is (spare > 0)
    assert ("any one zone" in topology.survives) is (topology.scenario is not Scenario.DEVELOPMENT)


@given(st.integers(1, 30), st.integers(1, 7))
def test_spread_is_as_even_as_can_be(count: int, zones: int) -> None:
    per_zone = Counter(spread(count, ZONES[:zones]))
    sizes = [per_zone[zone] for zone in ZONES[:zones]]
    assert max(sizes) - min(sizes) <= 1
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize(
    ("scenario", "masters", "members", "zones", "minutes"),
    [(Scenario.DEVELOPMENT, 1, 1, 1, 60), (Scenario.PRODUCTION, 3, 3, 3, 15), (Scenario.CRITICAL, 3, 5, 3, 5)],
)
def test_scenario_matrix(scenario: Scenario, masters: int, members: int, zones: int, minutes: int) -> None:
    topology = plan(scenario, ZONES[:3])
    assert topology.snapshots.interval == timedelta(minutes=minutes)
    assert (len(topology.masters), len(topology.members), len(topology.zones)) == (masters, members, zones)
    assert topology.snapshots is SHAPES[scenario].snapshots


@pytest.mark.parametrize(
    ("scenario", "zones", "counts", "says"),
    [
        (Scenario.PRODUCTION, 3, {"members": 4}, "kube-ha:etcd.members: 4 is even"),
        (Scenario.PRODUCTION, 2, {}, "kube-ha:zones: 2 (zone-a, zone-b) for the production scenario, which needs 3"),
        (Scenario.CRITICAL, 3, {"members": 3}, "kube-ha:etcd.members: 3 for the critical scenario; set an odd number"),
        (Scenario.CRITICAL, 4, {"masters": 3}, "kube-ha:masters: 3 for the critical scenario over 4 zone(s); set 4"),
        (Scenario.PRODUCTION, 3, {"masters": 3, "members": 5}, "5 members cannot live on 3 masters"),
        (
            Scenario.CRITICAL,
            3,
            {"masters": 601},
            "kube-ha:masters: 601 for the critical scenario over 3 zone(s); set 3 to",
        ),
        (Scenario.PRODUCTION, 3, {"members": 0}, "kube-ha:etcd.members: 0 for the production scenario; set an odd"),
        (Scenario.PRODUCTION, 3, {"masters": 0}, "kube-ha:masters: 0 for the production scenario; set an odd number"),
        (Scenario.PRODUCTION, 3, {"masters": 2}, "kube-ha:masters: 2 for the production scenario; set an odd number"),
        (Scenario.PRODUCTION, 3, {"masters": 6}, "kube-ha:masters: 6 is even. A quorum of 6 survives no more losses"),
        (Scenario.DEVELOPMENT, 3, {"members": 3}, "kube-ha:etcd.members: 3 for the development scenario, which is one"),
        (Scenario.DEVELOPMENT, 3, {"masters": 2}, "kube-ha:masters: 2 for the development scenario, which is one"),
        (Scenario.CRITICAL, 3, {"members": 9}, "set an odd number from 5 to 7"),
    ],
)
def test_what_would_break_the_promise_is_refused_by_name(
    scenario: Scenario, zones: int, counts: dict[str, int], says: str
) -> None:
    with pytest.raises(TopologyError) as refused:
        plan(scenario, ZONES[:zones], **counts)
    assert says in str(refused.value)


def test_a_zone_named_twice_is_refused() -> None:
    with pytest.raises(TopologyError, match="zone-a is named twice"):
        plan(Scenario.PRODUCTION, ["zone-a", "zone-a", "zone-b"])
