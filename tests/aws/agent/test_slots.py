"""Machines of a group that has several: each holds a numbered slot, and its successor takes it."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.node.agent.cloud import Instance, StoredObject
from components.node.agent.clouds import aws_slots
from components.node.agent.clouds.aws_objects import Objects
from components.node.agent.clouds.aws_routes import node_address
from tests.agent.memory_cloud import MemoryCloud

COUNT = 3


class Store(Objects):
    """A bucket in memory."""

    def __init__(self) -> None:
        here = Instance("i-0", "group", "", "eu-west-1a", "10.77.16.40", "t:1", "t:1")
        self.cloud = MemoryCloud(here, {}, {})

    def get(self, key: str) -> tuple[bytes, str]:
        return self.cloud.get(key)

    def put(
        self, key: str, content: bytes, *, if_absent: bool = False, if_match: str | None = None,
        retain_until: float | None = None,
    ) -> str:  # fmt: skip
        return self.cloud.put(key, content, if_absent=if_absent, if_match=if_match)

    def list(self, prefix: str) -> list[StoredObject]:
        return self.cloud.list(prefix)


def claim(store: Objects, instance: str, living: set[str]) -> str:
    return aws_slots.claim(store, "slots/", instance, living, role="master", count=COUNT)


@pytest.fixture
def store() -> Iterator[Store]:
    yield Store()


def test_machines_of_a_group_hold_a_slot_each_and_keep_it(store: Store) -> None:
    living = {"i-1", "i-2", "i-3"}
    assert {claim(store, instance, living) for instance in sorted(living)} == {"master-1", "master-2", "master-3"}
    assert claim(store, "i-2", living) == "master-2"


def test_a_replacement_takes_the_slot_of_the_dead_one(store: Store) -> None:
    for instance in ("i-1", "i-2", "i-3"):
        claim(store, instance, {"i-1", "i-2", "i-3"})
    assert claim(store, "i-4", {"i-1", "i-3", "i-4"}) == "master-2"
    with pytest.raises(aws_slots.NoSlotError, match="all 3 slots"):
        claim(store, "i-5", {"i-1", "i-3", "i-4", "i-5"})


@given(deaths=st.lists(st.integers(0, COUNT - 1), max_size=20))
def test_however_machines_come_and_go_no_two_living_ones_have_the_same_slot(deaths: list[int]) -> None:
    store = Store()
    living = [f"i-{number}" for number in range(COUNT)]
    held = {instance: claim(store, instance, set(living)) for instance in living}
    for number, death in enumerate(deaths):
        dead = living[death]
        living[death] = f"i-next-{number}"
        held[living[death]] = claim(store, living[death], set(living))
        assert held[living[death]] == held[dead]
        assert len({held[instance] for instance in living}) == COUNT


def test_a_members_node_has_its_reserved_address() -> None:
    first = {"Primary": True, "PrivateIpAddress": "10.77.16.40"}
    reserved = {"Primary": False, "PrivateIpAddress": "10.77.16.16"}
    assert node_address({"PrivateIpAddresses": [first, reserved]}) == "10.77.16.16"
    assert node_address({"PrivateIpAddresses": [first]}) == "10.77.16.40"
