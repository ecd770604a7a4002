"""docs/on-call.md quotes what machines really say."""

import ast
import re
from pathlib import Path

import pytest

from components.node.agent.node_conditions import CONDITIONS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/on-call.md").read_text()
TEXTS = [
    node.value
    for path in sorted((ROOT / "components/node").rglob("*.py"))
    for node in ast.walk(ast.parse(path.read_text()))
    if isinstance(node, ast.Constant) and isinstance(node.value, str)
]


def quotes() -> list[str]:
    """The parts of each message in the page's table that are the same every time."""
    _, said = PAGE.split("| it says |")
    rows = re.findall(r"^\| `([^`]+)` \|", said.split("\n## ")[0], re.MULTILINE)
    return [part.strip() for row in rows for part in re.split("…|[()]", row) if part.strip(" ,:")]


@pytest.mark.parametrize("quote", quotes())
def test_a_machine_says_what_the_page_explains(quote: str) -> None:
    assert any(quote.strip(" ,:") in text for text in TEXTS)


def test_every_condition_is_on_the_page() -> None:
    assert all(f"`{condition}`" in PAGE for condition in CONDITIONS)
    assert len(quotes()) >= 13
