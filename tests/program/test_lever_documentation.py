"""docs/levers.md says what the tables of the code say."""

from dataclasses import fields
from datetime import timedelta
from importlib import import_module
from pathlib import Path

import pytest

from components.clouds import Cloud
from components.lever_documentation import page, words
from components.managed import PLANES
from components.scenarios import Scenario, Tier

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_is_up_to_date() -> None:
    assert (ROOT / "docs" / "levers.md").read_text() == page(), "python -m components.lever_documentation"


@pytest.mark.parametrize("cloud", [Cloud.AWS, Cloud.AZURE, Cloud.GCP])
def test_every_lever_of_every_scenario_has_its_worth_and_cost(cloud: Cloud) -> None:
    levers = import_module(f"components.{cloud}.levers")
    assert set(levers.LEVERS) == set(PLANES[cloud]) == set(Scenario)
    assert set(levers.WORTH) == {field.name for field in fields(levers.Levers)}
    for lever in (*levers.WORTH.values(), *levers.ALWAYS.values()):
        assert lever.worth
        assert lever.cost


@pytest.mark.parametrize("cloud", PLANES)
def test_every_agreement_names_its_source(cloud: Cloud) -> None:
    for plane in PLANES[cloud].values():
        assert plane.agreement.source.startswith("https://")
        assert plane.agreement.figure == "none" or plane.agreement.figure.endswith(" %")


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (True, "yes"),
        (0, "none"),
        (None, "none"),
        (("a", "b"), "a, b"),
        (timedelta(hours=6), "6 h"),
        ((Tier(timedelta(hours=1), timedelta(days=7)),), "every 1 h, keep 7 d"),
    ],
)
def test_settings_are_written_as_people_read_them(value: object, read: str) -> None:
    assert words(value) == read
