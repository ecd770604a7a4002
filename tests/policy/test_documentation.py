"""docs/policies.md says what the rules say."""

from pathlib import Path

import pytest

from policy import documentation
from policy.catalogue import RULES
from policy.rule import Rule

PAGE = Path(__file__).resolve().parents[2] / "docs" / "policies.md"


def test_the_page_is_current() -> None:
    assert PAGE.read_text() == documentation.page(), "run python -m policy.documentation > docs/policies.md"


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.name)
def test_a_rule_says_why_and_how_in_one_sentence_each(rule: Rule) -> None:
    assert rule.why.endswith(".")
    assert len(rule.why) < 160
    assert rule.satisfy.endswith(".")
    assert len(rule.satisfy) < 200
