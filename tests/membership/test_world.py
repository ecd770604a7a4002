"""Kills, wipes, cuts, lost answers, old disks and restores in any order: never two quorums of one uid."""

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from components.node.membership import UNREADABLE
from components.node.record import Keys, Record, State
from tests.membership.world import EXPECTED, UID, Disk, World, Write

names = st.integers(0, 4)
touches = st.one_of(st.none(), st.integers(1, 25))


class Membership(RuleBasedStateMachine):
    """The world, and what may happen to it."""

    world: World
    writes: int
    acknowledged: dict[int, list[int]]

    @initialize(members=st.sampled_from([1, 3, 3, 5]), together=st.booleans())
    def begin(self, members: int, together: bool) -> None:
        self.world = World(members)
        self.writes = 0
        self.acknowledged = {}
        if together:
            for name in self.world.urls:
                self.world.settle(name)

    def name(self, number: int) -> str:
        return f"m{number % len(self.world.urls)}"

    @rule(number=names, crash_at=touches, lost_at=touches, other=names, meanwhile=touches)
    def boot(self, number: int, crash_at: int | None, lost_at: int | None, other: int, meanwhile: int | None) -> None:
        self.world.kill(self.name(number))
        self.world.settle(self.name(number), crash_at, lost_at, (meanwhile, self.name(other)))

    @rule(number=names, crash_at=touches)
    def the_agent_starts_again(self, number: int, crash_at: int | None) -> None:
        self.world.settle(self.name(number), crash_at)

    @rule()
    def all_boot(self) -> None:
        for name in self.world.urls:
            self.world.settle(name)

    @rule(number=names)
    def kill(self, number: int) -> None:
        self.world.kill(self.name(number))

    @rule(number=names)
    def wipe(self, number: int) -> None:
        name = self.name(number)
        self.world.kill(name)
        self.world.old_disks[name].append(self.world.disks[name])
        self.world.disks[name] = Disk(self.world, name)

    @rule(number=names)
    def an_old_disk_comes_back(self, number: int) -> None:
        name = self.name(number)
        if self.world.old_disks[name]:
            self.world.kill(name)
            self.world.old_disks[name].append(self.world.disks[name])
            self.world.disks[name] = self.world.old_disks[name].pop(0)

    @rule(number=names)
    def cut(self, number: int) -> None:
        self.world.cut.add(self.name(number))

    @rule()
    def heal(self) -> None:
        self.world.cut.clear()
        self.world.replicate()

    @rule(down=st.booleans())
    def the_store_fails_or_answers(self, down: bool) -> None:
        self.world.store_down = down

    @rule(seconds=st.sampled_from([1, 100]))
    def time_passes(self, seconds: int) -> None:
        self.world.clock += seconds

    @rule(number=names)
    def a_member_that_serves_finishes_forming(self, number: int) -> None:
        name = self.name(number)
        data = self.world.running.get(name)
        if data is None or self.world.leader(data.generation, self.world.group(name, data.generation)) is None:
            return
        try:
            self.world.joining(name).finish_forming()
            self.world.joining(name).promote_if_learner()
        except EXPECTED:
            return

    @rule(cut=st.booleans())
    def write(self, cut: bool) -> None:
        for generation in {data.generation for data in self.world.running.values()}:
            side = {
                n for n, d in self.world.running.items() if d.generation == generation and (n in self.world.cut) is cut
            }
            if side and self.world.commit(generation, side, Write((self.writes,))):
                self.acknowledged.setdefault(generation, []).append(self.writes)
                self.writes += 1

    @precondition(lambda self: Keys(UID).record in self.world.objects)
    @rule()
    def an_operator_orders_a_restore(self) -> None:
        record = Record.model_validate_json(self.world.objects[Keys(UID).record][0])
        self.world.order_restore(record.generation + 1, tuple(self.acknowledged.get(record.generation, ())))

    @invariant()
    def one_quorum_per_generation_and_no_write_is_lost(self) -> None:
        if not hasattr(self, "world"):
            return
        for generation in {data.generation for data in self.world.running.values()}:
            leaders = self.world.leading_sides(generation)
            assert len(leaders) <= 1, f"two quorums of generation {generation}: {leaders}"
            for leader in leaders:
                log = self.world.disks[leader].logs[self.world.running[leader]]
                kept = [number for entry in log if isinstance(entry, Write) for number in entry.numbers]
                lost = set(self.acknowledged.get(generation, ())) - set(kept)
                assert not lost, f"generation {generation} lost acknowledged writes {sorted(lost)}"


TestMembership = Membership.TestCase
TestMembership.settings = settings(
    max_examples=150, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)


def test_a_world_left_alone_forms_and_serves_and_repairs_itself() -> None:
    """The simulation itself can do what it should: else it would prove nothing."""
    world = World(3)
    assert [world.settle(name) for name in world.urls] == ["FORM", "FORM", "FORM"]
    assert world.commit(1, world.group("m0", 1), Write((1,)))
    assert world.joining("m0").finish_forming()
    world.kill("m2")
    world.disks["m2"] = Disk(world, "m2")
    assert world.settle("m2") == "REPLACE"
    assert world.commit(1, world.group("m2", 1), Write((2,)))
    for name in ("m0", "m1"):
        world.kill(name)
        world.disks[name] = Disk(world, name)
    assert [world.settle(name) for name in ("m0", "m1")] == ["NotYetError", "NotYetError"]


def test_a_disk_lost_after_a_restore_is_not_restored_again() -> None:
    """It has voted in the new history; it would come back without what it acknowledged there."""
    world = World(3)
    for name in world.urls:
        world.settle(name)
    world.order_restore(2, (1,))
    assert [world.settle(name) for name in world.urls] == ["RESTORE", "RESTORE", "RESTORE"]
    assert world.commit(2, world.group("m0", 2), Write((2,)))
    world.kill("m2")
    world.disks["m2"] = Disk(world, "m2")
    assert world.settle("m2") == "REPLACE"


def test_a_cluster_is_formed_when_every_member_has_had_its_part_in_it() -> None:
    """Before that, one that never had data may come with its own; afterwards nobody may."""
    world = World(3)
    for name in ("m0", "m1"):
        world.settle(name)
    assert not world.joining("m0").finish_forming()
    assert world.settle("m2") == "FORM"
    assert world.joining("m0").finish_forming()
    assert Record.model_validate_json(world.objects[Keys(UID).record][0]).state is State.FORMED


def test_a_store_that_is_silent_is_not_taken_for_an_empty_one() -> None:
    world = World(3)
    world.store_down = True
    assert world.joining("m0").observe().record is UNREADABLE
    assert world.settle("m0") == "NotYetError"


def test_two_machines_that_create_the_record_at_once_agree_on_one() -> None:
    for touch in range(1, 10):
        world = World(3)
        world.settle("m0", meanwhile=(touch, "m1"))
        world.settle("m2")
        assert world.commit(1, world.group("m0", 1), Write((1,)))
