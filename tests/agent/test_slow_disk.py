"""Nobody waits for a member whose disk is slow, and what only looks like one changes nothing."""

from http.client import IncompleteRead
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.node import passthrough, sync_times
from components.node.agent import slow_disk, slow_member
from components.node.agent.etcdctl import EtcdctlError
from components.node.agent.slow_disk import SlowDisk, Watch
from components.node.agent.systemd import ServiceError
from components.node.machine import Machine, Peer, Role
from components.node.slowness import HAND_OVER_SECONDS, WELL_SECONDS, Judgement
from components.node.sync_times import Look, Syncs, parse, quicker
from tests.agent.conftest import ME, OTHER, THIRD, document, idle_member

QUICK, MIDDLING, SLOW = Syncs(5, 5, 5), Syncs(0, 5, 5), Syncs(0, 0, 5)
NONE = Syncs(0, 0, 0)
IDS = {ME.name: 0xA, OTHER.name: 0xB, THIRD.name: 0xC}

METRICS = """\
# HELP etcd_disk_wal_fsync_duration_seconds The latency distributions of fsync called by WAL.
# TYPE etcd_disk_wal_fsync_duration_seconds histogram
etcd_disk_wal_fsync_duration_seconds_bucket{le="0.008"} 1630
etcd_disk_wal_fsync_duration_seconds_bucket{le="0.016"} 1696
etcd_disk_wal_fsync_duration_seconds_bucket{le="0.064"} 1777
etcd_disk_wal_fsync_duration_seconds_bucket{le="0.128"} 1809
etcd_disk_wal_fsync_duration_seconds_sum 18.13603868699998
etcd_disk_wal_fsync_duration_seconds_count 1.853e+03
# TYPE etcd_server_id gauge
etcd_server_id{server_id="5b99bd3b5e3609f"} 1
# TYPE etcd_server_is_leader gauge
etcd_server_is_leader 1
# TYPE etcd_server_is_learner gauge
etcd_server_is_learner 0
"""


class World:
    """Three members, whose disks do what a test says, as the agent of one of them sees it."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, machine: Machine | None = None) -> None:
        self.context = idle_member(folder)
        self.context.machine = machine or self.context.machine
        self.pace = dict.fromkeys(IDS, QUICK)
        self.votes = dict.fromkeys(IDS, True)
        self.leader = ME.name
        self.now = 1000.0
        self.moved: list[int] = []
        self.spared: list[bool] = []
        self._syncs = dict.fromkeys(IDS, NONE)
        self.etcdctl = self
        patch.setattr(slow_disk, "look_at", self._look_at)
        patch.setattr(slow_member, "spare", lambda member, *, spared: self.spared.append(spared))
        patch.setattr(slow_member, "cluster", lambda context: self)
        patch.setattr(slow_disk, "time", self)
        self.watch = Watch(self.context)

    def rounds(self, count: int = 2) -> None:
        """Of the length that they have for a machine whose member does not lead."""
        for _ in range(count * slow_disk.OTHERS_ROUNDS):
            self.now += slow_disk.ROUND_SECONDS
            self.watch.once()

    def move_leader(self, endpoint: str, to: int, timeout: float) -> None:
        assert self.leader == ME.name
        self.moved.append(to)
        self.leader = next(name for name, number in IDS.items() if number == to)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def _look_at(self, member: Peer, *, packed: bool = False) -> Look | None:
        # Only what leaves its machine is packed.
        assert packed == (member.name != self.context.machine.name)
        if member.name not in self.pace:
            return None
        before, more = self._syncs[member.name], self.pace[member.name]
        after = Syncs(before.quick + more.quick, before.bearable + more.bearable, before.total + more.total)
        self._syncs[member.name] = after
        return Look(IDS[member.name], member.name == self.leader, self.votes[member.name], after)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


def test_a_leader_whose_disk_is_slow_gives_leadership_to_a_voter_whose_disk_is_quick(world: World) -> None:
    world.rounds()
    world.pace |= {ME.name: SLOW, OTHER.name: MIDDLING}
    world.rounds(1)
    assert world.moved == [IDS[THIRD.name]]


def test_a_learner_is_not_given_leadership(world: World) -> None:
    world.votes[OTHER.name] = False
    world.pace[ME.name] = SLOW
    world.rounds()
    assert world.moved == [IDS[THIRD.name]]


@pytest.mark.parametrize("others", [SLOW, MIDDLING, NONE])
def test_a_disk_as_slow_as_the_others_changes_nothing(world: World, others: Syncs) -> None:
    world.pace |= {ME.name: SLOW, OTHER.name: others, THIRD.name: others}
    world.rounds(5)
    assert not world.moved
    assert not world.context.concerns


@pytest.mark.parametrize("own", [QUICK, MIDDLING, NONE])
def test_a_disk_that_is_not_slow_changes_nothing(world: World, own: Syncs) -> None:
    world.pace[ME.name] = own
    world.rounds(5)
    assert not world.moved
    assert not world.context.concerns


def test_a_member_that_does_not_answer_is_no_better_one_and_no_error(world: World) -> None:
    world.pace[ME.name] = SLOW
    del world.pace[OTHER.name], world.pace[THIRD.name]
    world.rounds(3)
    del world.pace[ME.name]
    world.rounds(3)
    assert not world.moved


@pytest.mark.parametrize("error", [TimeoutError(), IncompleteRead(b"# HELP")])
def test_a_member_that_ends_in_the_middle_of_its_answer_says_nothing(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def urlopen(request: object, timeout: float) -> None:
        raise error

    monkeypatch.setattr("urllib.request.urlopen", urlopen)
    assert slow_disk.look_at(ME) is None


def test_a_leader_is_looked_at_twice_as_often_as_who_holds_up_fewer(world: World) -> None:
    looks: list[bool] = []
    look = world._look_at

    def count(member: Peer, *, packed: bool = False) -> Look | None:
        looks.append(world.leader == ME.name)
        return look(member, packed=packed)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slow_disk, "look_at", count)
        world.rounds(10)
        world.leader = OTHER.name
        world.rounds(11)
    assert looks.count(True) in {2 * 10 - 1, 2 * 10}
    assert looks.count(False) in {11, 12}


def test_one_slow_sync_among_quick_ones_changes_nothing(world: World) -> None:
    world.pace[ME.name] = Syncs(4, 4, 5)
    world.rounds(5)
    assert not world.moved


def test_a_disk_that_others_keep_busy_for_a_second_is_not_slow() -> None:
    """A machine that boots beside it: syncs of 0.2 s in that second, and 15 to 25 a second again from then on."""
    busy = min(1, slow_disk.CONFIRM_SECONDS)
    usual = 15 * (slow_disk.CONFIRM_SECONDS - busy)
    assert not Syncs(quick=usual, bearable=usual, total=usual + busy / 0.2).are_slow


def test_leadership_that_came_back_is_moved_again_after_half_a_minute_and_not_before(world: World) -> None:
    world.pace[ME.name] = SLOW
    world.rounds()
    world.leader = ME.name
    until = world.now + HAND_OVER_SECONDS - slow_disk.ROUND_SECONDS - slow_disk.CONFIRM_SECONDS
    while world.now + slow_disk.ROUND_SECONDS + slow_disk.CONFIRM_SECONDS < until:
        world.now += slow_disk.ROUND_SECONDS
        world.watch.once()
    assert len(world.moved) == 1
    world.rounds()
    assert len(world.moved) == 2


def test_a_leader_that_etcd_does_not_move_is_paused_until_the_others_have_elected_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    paused: list[float] = []

    def refuse(endpoint: str, to: int, timeout: float) -> None:
        assert to == IDS[THIRD.name], "the one that is quick"
        raise EtcdctlError("etcdctl move-leader: no answer within 0.7 s")

    def pause(unit: str, seconds: float) -> None:
        paused.append(seconds)
        if len(paused) == 1:
            raise ServiceError("systemd-run: no end within 120 s")

    monkeypatch.setattr(world, "move_leader", refuse)
    monkeypatch.setattr(world.context.services, "pause", pause)
    # Who elects has to be there, not to be quick.
    world.pace |= {ME.name: SLOW, OTHER.name: MIDDLING}
    with pytest.raises(ServiceError):
        world.rounds()
    world.rounds(5)
    assert len(paused) == 2, "again at once where it could not be paused, not where it was"
    assert min(paused) > 2 * world.context.machine.etcd.election_ms / 1000


def test_on_call_sees_a_slow_disk_of_a_follower_too_as_long_as_it_lasts(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.leader = OTHER.name
    world.pace[ME.name] = SLOW
    world.rounds(5)
    assert not world.moved
    assert "member-1's disk is slow" in world.context.concerns[slow_disk.CAUSE.concern]
    assert "kube_ha_etcd_disk_slow 1" in world.context.metrics.render()
    world.pace[ME.name] = QUICK
    world.rounds(int(WELL_SECONDS) + 2)
    assert not world.context.concerns
    assert "kube_ha_etcd_disk_slow 0" in world.context.metrics.render()
    assert capsys.readouterr().out.count("disk is slow") == 2


def test_a_master_asks_another_member_until_the_disk_is_well_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, monkeypatch, document(ME.name, (ME, OTHER, THIRD), role=Role.MASTER))
    world.rounds()
    assert world.spared == [False]
    world.pace[ME.name] = SLOW
    world.rounds(3)
    assert world.spared[1:] == [True] * (len(world.spared) - 1) != []
    world.pace[ME.name] = QUICK
    world.rounds(int(WELL_SECONDS) - 1)
    assert set(world.spared[1:]) == {True}
    world.rounds(3)
    assert world.spared[-1] is False


def test_a_master_without_a_member_spares_the_one_that_it_asks_first_and_moves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, monkeypatch, document("master-1", (ME, OTHER, THIRD), role=Role.MASTER))
    world.pace[passthrough.order(world.context.machine)[0].name] = SLOW
    world.rounds()
    assert set(world.spared) == {True}
    assert not world.moved


def test_a_passthrough_that_does_not_run_keeps_no_leader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path, monkeypatch, document(ME.name, (ME, OTHER, THIRD), role=Role.MASTER))

    def refuse(member: str, *, spared: bool) -> None:
        raise FileNotFoundError(2, "no socket")

    monkeypatch.setattr(slow_member, "spare", refuse)
    world.pace[ME.name] = SLOW
    with pytest.raises(FileNotFoundError):
        world.rounds()
    assert len(world.moved) == 1


def test_only_machines_that_ask_one_member_of_several_watch() -> None:
    assert SlowDisk().applies(document(ME.name, (ME, OTHER, THIRD)))
    assert SlowDisk().applies(document("master-1", (ME, OTHER, THIRD), role=Role.MASTER))
    assert not SlowDisk().applies(document(ME.name, (ME,)))


def test_metrics_are_read_as_etcd_writes_them() -> None:
    assert parse(METRICS) == Look(0x5B99BD3B5E3609F, leads=True, votes=True, syncs=Syncs(1696, 1777, 1853))


@pytest.mark.parametrize(
    "line", ["etcd_server_is_leader 1\n", "etcd_disk_wal_fsync_duration_seconds_count 1.853e+03\n"]
)
def test_metrics_without_a_figure_are_an_error_that_names_it(line: str) -> None:
    with pytest.raises(ValueError, match=line.split(maxsplit=1)[0]):
        parse(METRICS.replace(line, ""))


def test_bounds_are_four_times_apart() -> None:
    assert float(sync_times.BEARABLE) == 4 * float(sync_times.QUICK)


counts = st.integers(min_value=0, max_value=10**6)
some_syncs = st.tuples(counts, counts, counts).map(lambda three: Syncs(*sorted(three)))


@given(syncs=some_syncs)
def test_no_disk_is_slow_and_quick(syncs: Syncs) -> None:
    assert not (syncs.are_slow and syncs.are_quick)
    assert syncs.any_slow or not syncs.are_slow


@given(before=some_syncs, more=some_syncs)
def test_a_window_is_what_came_between_two_looks_whatever_was_before(before: Syncs, more: Syncs) -> None:
    after = Syncs(before.quick + more.quick, before.bearable + more.bearable, before.total + more.total)
    assert after.since(before) == more


@given(before=some_syncs, after=some_syncs)
def test_an_etcd_that_was_started_anew_has_no_window(before: Syncs, after: Syncs) -> None:
    if after.total < before.total:
        assert after.since(before) == NONE
    assert not quicker({}, {"a": Look(1, leads=False, votes=True, syncs=after)})


@given(moved_at=st.floats(min_value=0, max_value=10**6), later=st.floats(min_value=0, max_value=10**4))
def test_leadership_moves_once_in_half_a_minute(moved_at: float, later: float) -> None:
    assert Judgement().may_move(moved_at)
    now = moved_at + later
    assert Judgement(moved_at=moved_at).may_move(now) == (now - moved_at >= HAND_OVER_SECONDS)


@given(windows=st.lists(st.booleans(), min_size=1, max_size=60))
def test_a_member_is_spared_from_the_first_slow_window_until_it_was_well_for_ten_seconds(windows: list[bool]) -> None:
    judgement = Judgement()
    for now, slow in enumerate(windows):
        recent = windows[max(0, now - int(WELL_SECONDS) + 1) : now + 1]
        assert judgement.found(now, slow=slow) == any(recent)
