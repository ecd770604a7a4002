"""What holds for all rules, whatever they are shown."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from components.declaration import placed
from components.node.health import LOAD_BALANCER
from components.scenarios import Scenario
from components.topology import Topology, TopologyError, plan
from policy.catalogue import GROUPS, RULES, rules_of
from policy.judgement import judge
from policy.properties import UNKNOWN, Properties
from policy.resource import CONTROL_PLANE, Resource, Stack
from policy.rule import ResourceRule, Rule, StackRule
from policy.rules import quorum, spread
from tests.policy.good import GOOD, declared
from tests.policy.programs import Declared, as_stack, program

PLANE = "kube-ha:local:ControlPlane"
RESOURCES = [resource for build in GOOD.values() for resource in as_stack(build()).resources]
ODD: tuple[Any, ...] = (
    None,
    True,
    0,
    -1.5,
    float("nan"),
    "",
    "nan",
    "1e999",
    "x",
    [],
    ["x", 1, None],
    {},
    UNKNOWN,
    [UNKNOWN],
    [[{}]],
)


def run(rule: Rule, resource: Resource, stack: Stack) -> list[str]:
    if isinstance(rule, ResourceRule):
        found = rule.check(resource, rule.defaults)
    else:
        assert isinstance(rule, StackRule)
        found = rule.check(resource, stack, rule.defaults)
    judgement = judge(rule, found, Scenario.CRITICAL, strict=True)
    return judgement.violations + judgement.advice


def at_random(value: Any, random: Random) -> Any:
    """A value of a good program in which anything, at any depth, may be missing, unknown or of another kind."""
    if random.random() < 0.1:
        return random.choice(ODD)
    if isinstance(value, Mapping):
        return {name: at_random(item, random) for name, item in value.items() if random.random() > 0.1}
    if isinstance(value, list):
        return [at_random(item, random) for item in value]
    return value


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.name)
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_missing_and_odd_properties_never_crash_a_rule(rule: Rule, seed: int) -> None:
    random = Random(seed)  # noqa: S311 - a draw of hypothesis for each value would be a hundred times slower
    judged = [found for found in RESOURCES if found.is_a(*rule.types)]
    beside = [found for found in RESOURCES if not found.is_a(*rule.types)] if isinstance(rule, StackRule) else []
    stack = Stack(
        [
            replace(found, properties=Properties({k: at_random(v, random) for k, v in found.properties.values.items()}))
            for found in (*judged, *beside)
        ]
    )
    for resource in stack.of(*rule.types):
        assert all(isinstance(line, str) for line in run(rule, resource, stack))


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.name)
def test_nothing_at_all_does_not_crash_a_rule(rule: Rule) -> None:
    for kind in rule.types:
        empty = Resource(type=kind, name="n", urn=f"urn:pulumi:s::p::{kind}::n", properties=Properties({}))
        run(rule, empty, Stack([empty]))


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.name)
def test_a_rules_defaults_satisfy_its_own_schema(rule: Rule) -> None:
    schema = {"type": "object", "properties": dict(rule.schema)}
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(rule.defaults)


def test_names_are_unique() -> None:
    assert len(RULES) == sum(len(rules_of(module)) for module in GROUPS.values())


def test_what_the_slowest_balancer_can_do_is_what_is_asked_of_all() -> None:
    slowest = max(check.detection_seconds for check in LOAD_BALANCER.values())
    assert RULES["dead-masters-leave-in-time"].defaults["seconds"] == slowest


ZONES = tuple(f"zone-{letter}" for letter in "abcdefg")


def made(scenario: Scenario, zones: int, masters: int | None, members: int | None) -> Topology | None:
    """A topology, unless the program refuses to make it."""
    with suppress(TopologyError):
        return plan(scenario, ZONES[:zones], masters=masters, members=members)
    return None


TOPOLOGIES = [
    topology
    for scenario in Scenario
    for zones in range(1, len(ZONES) + 1)
    for masters in (None, *range(1, 10))
    for members in (None, *range(1, 8))
    if (topology := made(scenario, zones, masters, members))
]
"""Every topology that the program can make of up to seven zones and nine masters."""


def plane_of(topology: Topology, members: list[dict[str, str]] | None = None) -> Stack:
    """A control plane that declares a topology, with its members elsewhere if they are given."""
    facts = {
        **declared("local", str(topology.scenario)),
        "zones": list(topology.zones),
        "masters": placed(topology.masters),
        "members": placed(topology.members) if members is None else members,
        "externalEtcd": topology.external_etcd,
    }
    return as_stack(program(Declared(PLANE, "plane", facts)))


def refused_by(stack: Stack) -> set[str]:
    """The rules on spread and quorum that refuse a control plane."""
    rules = [rule for module in (spread, quorum) for rule in rules_of(module) if CONTROL_PLANE in rule.types]
    return {rule.name for rule in rules for plane in stack.of(CONTROL_PLANE) if run(rule, plane, stack)}


@settings(deadline=None)
@given(st.sampled_from(TOPOLOGIES))
def test_no_topology_that_the_program_can_make_is_refused(topology: Topology) -> None:
    assert refused_by(plane_of(topology)) == set()


@settings(deadline=None)
@given(
    st.sampled_from([t for t in TOPOLOGIES if t.scenario is not Scenario.DEVELOPMENT]), st.integers(0), st.integers(0)
)
def test_moving_a_member_is_refused_exactly_when_its_zone_then_holds_a_majority(
    topology: Topology, member: int, zone: int
) -> None:
    members = placed(topology.members)
    crowd = topology.zones[zone % len(topology.zones)]
    members[member % len(members)]["zone"] = crowd
    crowded = sum(each["zone"] == crowd for each in members) > len(members) // 2
    assert ("no-zone-holds-a-majority" in refused_by(plane_of(topology, members))) is crowded


def test_moving_one_member_can_be_enough() -> None:
    topology = plan(Scenario.PRODUCTION, ZONES[:3])
    members = placed(topology.members)
    members[0]["zone"] = members[1]["zone"]
    assert refused_by(plane_of(topology, members)) == {"no-zone-holds-a-majority"}
