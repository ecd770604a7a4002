"""A member turns to what is ordered before anything that takes time without a quorum, and asks nobody in vain."""

from pathlib import Path
from typing import Any

import pytest

from components.node.agent import member as module
from components.node.agent.member import Etcd
from components.node.agent.step import NotYetError
from components.node.membership import Action, decide
from components.node.record import RestoreOrder, Static
from tests.agent.conftest import ME, OTHER, idle_member
from tests.membership.world import Etcd as WorldEtcd
from tests.membership.world import World

ORDER = RestoreOrder(
    generation=2, token="t", members={ME.name: "https://x:2380", OTHER.name: "https://y:2380"}, snapshot="s", sha256="0"  # noqa: S106
)  # fmt: skip


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Generations of which a quorum was asked for."""
    found: list[int] = []
    quorum = WorldEtcd.quorum

    def counted(self: WorldEtcd, static: Static) -> Any:
        found.append(static.generation)
        return quorum(self, static)

    monkeypatch.setattr(WorldEtcd, "quorum", counted)
    return found


@pytest.fixture
def world() -> World:
    """Three members of whom one is dead, and an order."""
    made = World(3)
    for _ in range(2):
        for name in made.urls:
            made.settle(name)
    made.kill("m2")
    made.order_restore(2, ())
    return made


def test_an_order_is_looked_at_before_etcd_is_asked_how_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context, done = idle_member(tmp_path), []
    context.paths.etcd_volume.mkdir(parents=True)
    context.cloud.put("clusters/u1/restore.json", ORDER.encode())

    class Way:
        def observe(self) -> None:
            done.append("order")
            raise NotYetError("1 of 2 members have the snapshot")

    def answers(url: str, timeout: float) -> bool:
        done.append("health")
        return False

    monkeypatch.setattr(module, "joining", lambda *_: Way())
    monkeypatch.setattr(module, "answers", answers)
    assert Etcd().tick(context) == "1 of 2 members have the snapshot"
    assert done[0] == "order"


def test_the_first_and_the_second_member_ask_for_no_quorum(world: World, asked: list[int]) -> None:
    for name in ("m0", "m1"):
        now = world.joining(name).observe()
        assert decide(now).action is Action.RESTORE
        assert world.settle(name) == "RESTORE"
    assert asked == [], "of the old generation it does not matter, and of the new one there can be none"


def test_one_that_comes_late_asks_the_generation_that_went_on(world: World, asked: list[int]) -> None:
    for name in ("m0", "m1"):
        world.settle(name)
    now = world.joining("m2").observe()
    assert asked == [2]
    assert now.ordered_quorum is not None


def test_when_the_order_is_carried_out_a_quorum_is_asked_for_once(world: World, asked: list[int]) -> None:
    for name in world.urls:
        world.settle(name)
    asked.clear()
    assert world.joining("m1").observe().quorum is not None
    assert asked == [2]
