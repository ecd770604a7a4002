"""The cluster's lock: one holder at a time, whatever the clocks say."""

import pytest

from components.node.agent.cloud import CloudError, Instance
from components.node.lock import ClusterLock, LockedError, LockLostError
from tests.agent.memory_cloud import MemoryCloud

HERE = Instance("i", "g", "m", "z", "127.0.0.1", "t", "t")


class Clock:
    """A clock that the test moves."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store() -> MemoryCloud:
    return MemoryCloud(HERE, {}, {})


def lock(store: MemoryCloud, holder: str, now: float = 0.0) -> tuple[ClusterLock, Clock]:
    clock = Clock(now)
    return ClusterLock(store, "lock", holder, clock), clock


def test_a_second_machine_learns_who_holds_it_and_why(store: MemoryCloud) -> None:
    first, _ = lock(store, "a")
    second, _ = lock(store, "b")
    first.acquire("membership", 60)
    with pytest.raises(LockedError, match="a holds the cluster's lock: membership"):
        second.acquire("membership", 60)


def test_a_released_lock_is_free_at_once(store: MemoryCloud) -> None:
    first, _ = lock(store, "a")
    with first.hold("membership", 60):
        pass
    lock(store, "b")[0].acquire("membership", 60)


def test_clocks_that_differ_by_a_year_change_nothing(store: MemoryCloud) -> None:
    first, _ = lock(store, "a", now=0)
    second, _ = lock(store, "b", now=365 * 86400)
    first.acquire("membership", 60)
    with pytest.raises(LockedError):
        second.acquire("membership", 60)


def test_a_silent_holder_is_overtaken_and_stops(store: MemoryCloud) -> None:
    first, _ = lock(store, "a")
    second, clock = lock(store, "b")
    first.acquire("membership", 60)
    for _ in range(2):
        with pytest.raises(LockedError):
            second.acquire("membership", 60)
        clock.now += 59
    second.acquire("membership", 60)
    with pytest.raises(LockLostError):
        first.confirm()


def test_a_holder_that_confirms_is_not_overtaken(store: MemoryCloud) -> None:
    first, _ = lock(store, "a")
    second, clock = lock(store, "b")
    first.acquire("membership", 60)
    for _ in range(3):
        with pytest.raises(LockedError):
            second.acquire("membership", 60)
        clock.now += 59
        first.confirm()


def test_the_next_incarnation_holds_what_the_one_before_held(store: MemoryCloud) -> None:
    lock(store, "a")[0].acquire("replacement", 600)
    with lock(store, "a")[0].hold("membership", 60):
        pass
    held, _ = lock(store, "b")[0].read()
    assert held is not None
    assert (held.holder, held.purpose, held.seconds) == ("a", "replacement", 600)


def test_releasing_what_was_overtaken_does_not_free_it(store: MemoryCloud) -> None:
    first, _ = lock(store, "a")
    second, clock = lock(store, "b")
    first.acquire("membership", 60)
    with pytest.raises(LockedError):
        second.acquire("membership", 60)
    clock.now += 61
    second.acquire("membership", 60)
    first.release()
    second.confirm()


def test_what_the_incarnation_before_died_with_keeps_nobody_waiting(store: MemoryCloud) -> None:
    dead, _ = lock(store, "a")
    dead.acquire("repair", 180)
    lock(store, "a")[0].forget("replacement")
    lock(store, "b")[0].acquire("membership", 60)
    with pytest.raises(LockLostError):
        dead.confirm()


def test_a_replacement_is_kept_for_the_incarnation_that_it_is_for(store: MemoryCloud) -> None:
    lock(store, "a")[0].acquire("replacement", 600)
    lock(store, "a")[0].forget("replacement")
    with pytest.raises(LockedError):
        lock(store, "b")[0].acquire("membership", 60)


def test_neither_ones_own_nor_anothers_lock_is_forgotten(store: MemoryCloud) -> None:
    own, _ = lock(store, "a")
    own.acquire("repair", 180)
    lock(store, "b")[0].forget("replacement")
    own.forget("replacement")
    own.confirm()


def left_behind(store: MemoryCloud) -> ClusterLock:
    """The lock of a machine whose store fell silent before it could free it."""
    own, _ = lock(store, "a")
    with pytest.raises(CloudError), own.hold("repair", 180):
        store.down = True
    store.down = False
    assert own.left_behind
    return own


def test_what_could_not_be_freed_is_freed_when_the_store_answers(store: MemoryCloud) -> None:
    own = left_behind(store)
    own.forget("replacement")
    assert not own.left_behind
    lock(store, "b")[0].acquire("membership", 60)


def test_what_could_not_be_freed_does_not_keep_what_comes_after_it(store: MemoryCloud) -> None:
    own = left_behind(store)
    with own.hold("membership", 60), pytest.raises(LockedError, match="membership"):
        lock(store, "b")[0].acquire("membership", 60)
    lock(store, "b")[0].acquire("membership", 60)


def test_what_somebody_took_over_meanwhile_is_not_freed(store: MemoryCloud) -> None:
    own = left_behind(store)
    other, clock = lock(store, "b")
    with pytest.raises(LockedError):
        other.acquire("membership", 60)
    clock.now += 181
    other.acquire("membership", 60)
    own.forget("replacement")
    other.confirm()
