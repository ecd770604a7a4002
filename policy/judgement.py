"""From a rule and what it found to what is reported. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from components.scenarios import Scenario
from policy.properties import UndecidedError
from policy.rule import Level, Rule


@dataclass
class Judgement:
    """What a rule says of a resource."""

    violations: list[str] = field(default_factory=list)
    """Reported at the level that the rule is configured with."""
    advice: list[str] = field(default_factory=list)
    """Reported as advisory, whatever the rule's level."""


def judge(rule: Rule, findings: Iterator[str], scenario: Scenario, *, strict: bool) -> Judgement:
    """Sort findings by the rule's level in this scenario.

    Args:
        strict: whether a mandatory rule that cannot decide is a violation: where nobody reads the advice.
    """
    judgement = Judgement()
    mandatory = rule.levels[scenario] is Level.MANDATORY
    serious = judgement.violations if mandatory else judgement.advice
    try:
        # One by one: what was found before an unknown value stays found.
        for finding in findings:
            serious.append(finding)
    except UndecidedError as unknown:
        undecided = f"cannot be decided yet: {unknown} is not known here."
        (serious if strict else judgement.advice).append(undecided)
    return judgement
