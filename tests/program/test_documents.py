"""What the README and docs/ name is there: settings, targets of the Makefile, files."""

import re
from pathlib import Path

import pytest

from components.setting_errors import fields, group_at
from components.settings import Settings
from tests.program.stacks import ROOT

PAGES = {path.name: path.read_text() for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))}
SETTING = re.compile(r"kube-ha:([a-z][A-Za-z]*(?:\.[a-z][A-Za-z]*)*)")
TARGET = re.compile(r"(?:^ {4}|`)make (?:-s )?([a-z-]+)", re.MULTILINE)
LINK = re.compile(r"\]\(([\w./-]+\.md)\)")

TAGS = {"cluster", "uid", "role", "machine", "pods"}
"""Of AWS' resources, which begin as settings do."""


@pytest.mark.parametrize("page", PAGES)
def test_every_setting_that_a_page_names_is_one(page: str) -> None:
    for path in set(SETTING.findall(PAGES[page])) - TAGS:
        *above, name = path.split(".")
        assert name in fields(group_at(Settings, tuple(above))), f"kube-ha:{path}"


def test_every_setting_is_on_a_page() -> None:
    named = {path.split(".")[0] for text in PAGES.values() for path in SETTING.findall(text)}
    assert set(fields(Settings)) - named == set()


@pytest.mark.parametrize("page", PAGES)
def test_every_target_that_a_page_names_is_in_the_makefile(page: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(TARGET.findall(PAGES[page])) - targets == set()


@pytest.mark.parametrize("page", PAGES)
def test_every_page_that_a_page_leads_to_is_there(page: str) -> None:
    here = ROOT if page == "README.md" else ROOT / "docs"
    assert [link for link in LINK.findall(PAGES[page]) if not Path(here, link).is_file()] == []
