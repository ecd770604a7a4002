"""What a finding does: by the rule's level in the scenario, and by whether anybody reads advice."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from components.scenarios import Scenario
from policy.ancestry import Ancestry
from policy.catalogue import RULES
from policy.judgement import judge
from policy.properties import UNKNOWN, Properties, UndecidedError
from policy.resource import Resource
from policy.rule import ALWAYS, NOT_IN_DEVELOPMENT, Level, ResourceRule, Rule, Severity


def rule(**facts: object) -> Rule:
    given = {"name": "r", "why": "w.", "types": (), "severity": Severity.LOW, "satisfy": "s.", **facts}
    return Rule(**given)  # type: ignore[arg-type]


def findings() -> Iterator[str]:
    yield "wrong"
    raise UndecidedError("a.b")


@pytest.mark.parametrize(
    ("scenario", "strict", "violations", "advice"),
    [
        (Scenario.PRODUCTION, False, ["wrong"], ["undecided"]),
        (Scenario.PRODUCTION, True, ["wrong", "undecided"], []),
        (Scenario.DEVELOPMENT, False, [], ["wrong", "undecided"]),
        (Scenario.DEVELOPMENT, True, [], ["wrong", "undecided"]),
    ],
)
def test_a_finding_is_as_serious_as_the_rule_is_in_the_scenario(
    scenario: Scenario, strict: bool, violations: list[str], advice: list[str]
) -> None:
    judgement = judge(rule(levels=NOT_IN_DEVELOPMENT), findings(), scenario, strict=strict)
    undecided = "cannot be decided yet: a.b is not known here."
    assert judgement.violations == [undecided if line == "undecided" else line for line in violations]
    assert judgement.advice == [undecided if line == "undecided" else line for line in advice]


def test_every_rule_is_mandatory_for_a_critical_control_plane() -> None:
    assert {rule.levels[Scenario.CRITICAL] for rule in RULES.values()} == {Level.MANDATORY}


def test_no_rule_is_laxer_in_a_stricter_scenario() -> None:
    for each in RULES.values():
        levels = [each.levels[scenario] is Level.MANDATORY for scenario in Scenario]
        assert levels == sorted(levels), each.name


def test_privacy_is_not_a_matter_of_cost() -> None:
    private = ("snapshot-buckets-are-private", "nobody-has-ssh-from-everywhere", "apis-name-their-clients")
    assert all(RULES[name].levels == ALWAYS for name in private)


def seen(name: str, kind: str, parent: str = "", **properties: object) -> Resource:
    return Resource(type=kind, name=name, urn=name, parent=parent, properties=Properties(properties))


def test_a_resource_is_held_to_the_scenario_of_the_control_plane_that_made_it() -> None:
    ancestry = Ancestry()
    for resource in (
        seen("stack", "pulumi:pulumi:Stack"),
        seen("plane", "kube-ha:aws:ControlPlane", "stack", scenario="development"),
        seen("group", "kube-ha:aws:MachineGroup", "plane"),
        seen("machine", "aws:autoscaling/group:Group", "group"),
        seen("beside", "aws:s3/bucket:Bucket", "stack"),
    ):
        ancestry.see(resource)
    assert ancestry.scenario("machine") is Scenario.DEVELOPMENT
    assert ancestry.scenario("plane") is Scenario.DEVELOPMENT
    assert ancestry.scenario("beside") is Scenario.PRODUCTION
    assert ancestry.scenario("never-seen") is Scenario.PRODUCTION


def test_what_a_component_declares_decides_where_a_document_is_not_known_yet() -> None:
    statement = {"Effect": "Allow", "Action": ["s3:*"], "Resource": "unknown"}
    role = seen("role", "aws:iam/rolePolicy:RolePolicy", policy=UNKNOWN)
    declared = replace(role, component=Properties({"policy": {"Statement": [statement]}}))
    for resource, says in ((role, "cannot be decided yet"), (declared, "a statement allows s3:*")):
        each = RULES["no-policy-allows-everything"]
        assert isinstance(each, ResourceRule)
        (line,) = judge(each, each.check(resource, {}), Scenario.PRODUCTION, strict=True).violations
        assert line.startswith(says)


def test_a_setting_that_a_rule_does_not_have_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="policy r has no setting moost; accepted: most"):
        rule(schema={"most": {"default": 7}}).configured({"moost": 9})


def test_settings_that_are_left_out_have_their_defaults() -> None:
    assert rule(schema={"most": {"default": 7}, "least": {"default": 1}}).configured({"least": 3}) == {
        "most": 7,
        "least": 3,
    }


def test_an_unknown_value_is_there_but_cannot_be_read() -> None:
    given = Properties({"key": UNKNOWN, "list": ["a", UNKNOWN], "group": {"inner": UNKNOWN}})
    assert given.has("key")
    assert given.has("key.inside")
    for path, read in (("key", given.text), ("list", given.texts), ("group.inner", given.flag), ("key.b", given.any)):
        with pytest.raises(UndecidedError, match=path.replace("key.b", "key")):
            read(path)
