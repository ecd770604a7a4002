"""A critical control plane outlives two members at once, and the zones of a production one as well."""

from pathlib import Path

import pytest

from tests.machines.drilling import assert_goes_on, declared, drill
from tests.machines.stack import Stack

pytestmark = [pytest.mark.machines, pytest.mark.timeout(900)]


def test_two_members_in_different_zones_killed_at_once_are_hardly_felt(stack: Stack, tmp_path: Path) -> None:
    assert_goes_on(drill(stack, declared("two-members-kill"), tmp_path))


@pytest.mark.parametrize("name", ["master-kill", "zone-silent"])
def test_a_master_or_a_zone_less_is_hardly_felt(stack: Stack, tmp_path: Path, name: str) -> None:
    assert_goes_on(drill(stack, declared(name), tmp_path))


def test_leadership_leaves_a_member_whose_link_is_slow(stack: Stack, tmp_path: Path) -> None:
    before = stack.leader()
    assert_goes_on(drill(stack, declared("slow-link"), tmp_path))
    assert stack.leader() != before, "moves come to nothing there, so it has to be paused"
