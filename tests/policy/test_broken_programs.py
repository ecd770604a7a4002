"""Every rule refuses a program that breaks its promise, and no other rule does."""

from collections import defaultdict

import pytest

from components.scenarios import Scenario
from policy.catalogue import RULES
from policy.judgement import judge
from policy.resource import Stack
from policy.rule import ResourceRule, StackRule
from tests.policy.broken import TABLE, Broken
from tests.policy.good import GOOD
from tests.policy.programs import as_stack


def findings(stack: Stack, scenario: Scenario = Scenario.CRITICAL) -> dict[str, list[str]]:
    """Rule → what it says of a stack, undecided ones among them."""
    said: defaultdict[str, list[str]] = defaultdict(list)
    for rule in RULES.values():
        for resource in stack.of(*rule.types):
            if isinstance(rule, ResourceRule):
                found = rule.check(resource, rule.defaults)
            else:
                assert isinstance(rule, StackRule)
                found = rule.check(resource, stack, rule.defaults)
            said[rule.name] += judge(rule, found, scenario, strict=True).violations
    return {rule: lines for rule, lines in said.items() if lines}


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
@pytest.mark.parametrize("good", GOOD)
def test_a_good_program_passes(good: str, preview: bool) -> None:
    assert findings(as_stack(GOOD[good](), preview=preview)) == {}


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
@pytest.mark.parametrize("broken", TABLE, ids=str)
def test_a_broken_program_is_refused_by_exactly_its_rule(broken: Broken, preview: bool) -> None:
    said = findings(as_stack(broken.program, preview=preview))
    assert set(said) == {broken.rule}, said


def test_every_rule_has_a_broken_program() -> None:
    assert {broken.rule for broken in TABLE} == set(RULES)


def test_every_type_that_a_rule_judges_is_in_a_good_program() -> None:
    """A rule that misses a type because of how it is written would pass everything."""
    seen = [resource for build in GOOD.values() for resource in as_stack(build()).resources]
    judged = {kind for rule in RULES.values() for kind in rule.types}
    assert {kind for kind in judged if not any(found.is_a(kind) for found in seen)} == set()
