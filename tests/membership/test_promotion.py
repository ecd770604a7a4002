"""A learner becomes a voter when it may, by its own agent, one change of the cluster at a time."""

from collections.abc import Callable

import pytest

from components.node.agent.cloud import CloudError
from components.node.agent.step import NotYetError
from components.node.record import Keys
from tests.membership.world import UID, Disk, Etcd, World


def refuses(patch: pytest.MonkeyPatch, error: Exception, times: int) -> Callable[[], int]:
    """Make etcd refuse so many promotions; how often it was asked."""
    promote, asked = Etcd.promote, []

    def refused(self: Etcd, member_id: int) -> None:
        asked.append(member_id)
        if len(asked) <= times:
            raise error
        promote(self, member_id)

    patch.setattr(Etcd, "promote", refused)
    return lambda: len(asked)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """Three members, of which the last lost its disk, came in as a learner, and lost the store before its promotion."""
    made = World(3)
    for _ in range(2):
        for name in made.urls:
            made.settle(name)
    made.joining("m0").finish_forming()
    made.kill("m2")
    made.disks["m2"] = Disk(made, "m2")
    with monkeypatch.context() as patch:
        refuses(patch, CloudError("the store fell silent"), times=1)
        assert made.settle("m2") == "CloudError"
    assert is_learner(made, "m2")
    return made


def is_learner(world: World, name: str) -> bool:
    quorum = world.joining("m0").cluster.quorum(world.joining("m0").observe().record)  # type: ignore[arg-type]
    own = quorum.at(world.urls[name]) if quorum else None
    assert own is not None
    return own.learner


def test_a_learner_that_was_left_one_becomes_a_voter(world: World) -> None:
    assert world.joining("m2").promote_if_learner()
    assert not is_learner(world, "m2")


def test_it_waits_while_another_member_changes_something(world: World) -> None:
    world.locks["m1"].acquire("membership", 60)
    with pytest.raises(NotYetError, match="m1 holds the cluster's lock"):
        world.joining("m2").promote_if_learner()
    assert is_learner(world, "m2")


def test_it_is_tried_again_until_it_is_in_sync_and_the_lock_is_free_afterwards(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = refuses(monkeypatch, NotYetError("can only promote a learner member which is in sync with leader"), times=2)
    assert world.joining("m2").promote_if_learner()
    assert asked() == 3
    world.locks["m1"].acquire("membership", 60)


def test_one_that_is_never_in_sync_gives_the_lock_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    refuses(monkeypatch, NotYetError("in sync with leader"), times=1000)
    with pytest.raises(NotYetError):
        world.joining("m2").promote_if_learner()
    world.locks["m1"].acquire("membership", 60)


def test_a_voter_asks_for_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = refuses(monkeypatch, NotYetError("not asked for"), times=1000)
    before = world.objects.get(Keys(UID).lock)
    assert world.joining("m1").promote_if_learner()
    assert asked() == 0
    assert world.objects.get(Keys(UID).lock) == before


def test_without_a_quorum_nobody_is_promoted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = refuses(monkeypatch, NotYetError("not asked for"), times=1000)
    world.kill("m0")
    world.kill("m1")
    assert not world.joining("m2").promote_if_learner()
    assert asked() == 0
