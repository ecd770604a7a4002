"""Which groups machines are in, for every topology that can be."""

from hypothesis import given
from hypothesis import strategies as st

from components.machine_document import Identity
from components.machine_groups import groups
from components.node.machine import Role
from components.scenarios import Scenario
from components.topology import Topology, plan

ZONES = ("a", "b", "c", "d")
ADDRESSES = {f"{role}-{n}": f"10.0.0.{n}" for role in ("master", "member") for n in range(1, 8)}

development = st.builds(plan, st.just(Scenario.DEVELOPMENT), st.just(ZONES[:1]))
production = st.builds(plan, st.just(Scenario.PRODUCTION), st.just(ZONES), members=st.sampled_from([3, 5, 7]))
critical = st.builds(
    plan, st.just(Scenario.CRITICAL), st.just(ZONES), masters=st.integers(4, 7), members=st.sampled_from([5, 7])
)
topologies = st.one_of(development, production, critical)


@given(topologies)
def test_every_machine_is_in_exactly_one_group(topology: Topology) -> None:
    grouped = [machine.name for group in groups(topology) for machine in group.machines]
    machines = {master.name for master in topology.masters} | {member.name for member in topology.members}
    assert sorted(grouped) == sorted(machines)


@given(topologies)
def test_what_carries_a_member_is_alone_at_its_own_address_and_nothing_else_has_an_identity(topology: Topology) -> None:
    members = {member.name for member in topology.members}
    for group in groups(topology):
        names = [machine.name for machine in group.machines]
        identity = group.identity(ADDRESSES)
        assert group.durable is bool(members.intersection(names))
        if group.durable:
            assert names == [identity.name]
            assert identity.address == ADDRESSES[identity.name]
        else:
            assert identity == Identity(role=Role.MASTER)


def test_members_come_before_the_masters_that_need_them() -> None:
    names = [group.name for group in groups(plan(Scenario.CRITICAL, ZONES[:3]))]
    assert names == ["member-1", "member-2", "member-3", "member-4", "member-5", "masters"]
