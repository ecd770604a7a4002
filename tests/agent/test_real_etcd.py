"""Rows of the membership table, with real etcd processes."""

import hashlib
import json
import shutil
import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial

import pytest

from components.node.agent import defragmentation, slow_disk, slow_link, sock_diag
from components.node.agent.cluster import EtcdCluster
from components.node.agent.defragmentation import Defragmentation
from components.node.agent.etcdctl import Etcdctl, EtcdctlError
from components.node.agent.folders import Folders
from components.node.agent.hand_over import hand_over
from components.node.agent.member import cluster, joining
from components.node.agent.slow_disk import Watch, look_at
from components.node.agent.slow_member import SlowMember
from components.node.agent.sock_diag import Connection
from components.node.agent.step import NotYetError
from components.node.etcd import client_url
from components.node.machine import Peer
from components.node.membership import decide
from components.node.record import Record, RestoreOrder, State
from components.node.round_trips import Stream
from components.node.sync_times import Look
from tests.agent.conftest import World
from tests.agent.processes import eventually

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A cluster that tests break and the next test repairs: etcd takes no change before its members know each other."""
    made = World(tmp_path_factory.mktemp("world"))
    made.form()
    yield made
    made.end()


@pytest.fixture
def formed(shared: World) -> World:
    """Three healthy members that are a cluster."""
    return healed(shared)


@pytest.fixture
def fresh(world: World) -> World:
    """The same, for a test that leaves nothing to repair."""
    world.form()
    return healed(world)


def healed(world: World) -> World:
    broken = [name for name, step in world.steps.items() if step.tick(world.machines[name]) is not None]
    threads = [threading.Thread(target=world.steps[name].run, args=(world.machines[name],)) for name in broken]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for member in world.members:
        eventually(partial(world.healthy, member.name), 30, f"{member.name} is healthy")
    return world


def record_of(world: World) -> Record:
    return Record.model_validate_json(world.objects["clusters/u1/record.json"][0])


def test_three_empty_members_form_one_cluster_and_say_so(formed: World) -> None:
    lists = {member.name: formed.listed(member.name) for member in formed.members}
    assert set(lists["member-1"]) == {"member-1", "member-2", "member-3"}
    assert lists["member-1"] == lists["member-2"] == lists["member-3"]
    record = record_of(formed)
    assert record.state is State.FORMED
    assert {name: record.member_id(name) for name in record.members} == lists["member-1"]


def test_a_killed_member_comes_back_with_its_data_under_its_id(formed: World) -> None:
    before = formed.listed("member-1")
    formed.kill("member-2")
    formed.steps["member-2"].run(formed.machine("member-2"))
    eventually(lambda: formed.healthy("member-2"), 20, "member-2 is healthy")
    assert formed.listed("member-1") == before


def test_a_member_whose_disk_is_lost_is_replaced_under_a_new_id(formed: World) -> None:
    before = formed.listed("member-1")
    put(formed, "member-1", "k", "v")
    formed.kill("member-3")
    formed.wipe("member-3")
    context = formed.machine("member-3")
    assert decide(joining(context).observe()).row == 7
    formed.steps["member-3"].run(context)
    eventually(lambda: formed.healthy("member-3"), 20, "member-3 is healthy")
    after = formed.listed("member-1")
    assert set(after) == set(before)
    assert after["member-3"] != before["member-3"]
    assert get(formed, "member-3", "k") == "v"


def test_a_disk_that_was_wiped_under_a_process_does_not_vote_again(formed: World) -> None:
    formed.kill("member-3")
    volume = formed.machines["member-3"].paths.etcd_volume
    for entry in volume.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    formed.processes("member-3").start("kube-ha-etcd.service")
    assert not formed.processes("member-3").active("kube-ha-etcd.service")


def test_a_disk_that_is_wiped_while_its_process_starts_does_not_vote_again(formed: World) -> None:
    """The unit's check has passed: as when something is prepared."""
    formed.kill("member-3")
    folders, processes = Folders(formed.machines["member-3"].paths.etcd_volume), formed.processes("member-3")
    data = folders.data("u1")
    assert data is not None
    shutil.rmtree(folders.path(data))
    folders.prepare(data)
    processes.start("kube-ha-etcd.service")
    eventually(lambda: not processes.active("kube-ha-etcd.service"), 20, "etcd ends")
    assert "find local name" in processes.output_end("kube-ha-etcd.service", 0)
    assert not folders.has_log(data)


def test_a_member_that_is_not_in_the_list_joins_as_a_learner_first(formed: World) -> None:
    address = formed.members[0].address.rsplit(".", 1)[0] + ".4"
    members = (*formed.members, Peer(name="member-4", zone="zone-4", address=address))
    context = formed.machine("member-4", members)
    assert decide(joining(context).observe()).row == 8
    formed.steps["member-4"].run(context)
    eventually(lambda: formed.healthy("member-4"), 20, "member-4 is healthy")
    assert set(formed.listed("member-1")) == {"member-1", "member-2", "member-3", "member-4"}
    etcd_of(formed, "member-1").etcdctl.remove(
        (client_url(formed.members[0].address),), formed.listed("member-1")["member-4"]
    )
    formed.kill("member-4")
    del formed.machines["member-4"], formed.steps["member-4"]


def test_an_empty_member_without_a_quorum_refuses_to_form_a_second_cluster(formed: World) -> None:
    for member in formed.members:
        formed.kill(member.name)
    formed.wipe("member-1")
    context = formed.machine("member-1")
    with pytest.raises(NotYetError, match="never form a second cluster"):
        formed.steps["member-1"].run(context)
    assert not formed.processes("member-1").active("kube-ha-etcd.service")


def test_data_of_another_cluster_is_set_aside_and_kept(formed: World) -> None:
    formed.kill("member-2")
    volume = formed.machines["member-2"].paths.etcd_volume
    (own,) = [entry for entry in volume.iterdir() if entry.name.startswith("u1-")]
    own.rename(volume / own.name.replace("u1-", "u0-"))
    context = formed.machine("member-2")
    assert decide(joining(context).observe()).row == 3
    formed.steps["member-2"].run(context)
    eventually(lambda: formed.healthy("member-2"), 20, "member-2 is healthy")
    (kept,) = (volume / "set-aside").glob("*-u0-*")
    assert (kept / "member" / "wal").is_dir()


def test_an_old_disk_of_a_member_that_was_replaced_is_set_aside(formed: World) -> None:
    formed.kill("member-2")
    volume = formed.machines["member-2"].paths.etcd_volume
    old = volume.with_name("old")
    volume.rename(old)
    formed.steps["member-2"].run(formed.machine("member-2"))
    eventually(lambda: formed.healthy("member-2"), 20, "member-2 is healthy")
    formed.kill("member-2")
    formed.wipe("member-2")
    old.rename(volume)
    context = formed.machine("member-2")
    decision = decide(joining(context).observe())
    assert (decision.row, "not among its members" in decision.reason) == (3, True)
    formed.steps["member-2"].run(context)
    eventually(lambda: formed.healthy("member-2"), 20, "member-2 is healthy")


def test_leadership_is_handed_over_to_a_member_that_lives(formed: World) -> None:
    endpoints = {m.name: client_url(m.address) for m in formed.members}
    etcdctl = etcd_of(formed, "member-1").etcdctl
    leader = next(name for name, url in endpoints.items() if (s := etcdctl.status(url)).leader_id == s.member_id)
    first, second = (name for name in endpoints if name != leader)
    formed.kill(first)
    assert hand_over(etcdctl, endpoints[leader]) == f"{second} leads now"
    assert hand_over(etcdctl, endpoints[leader]) == "not the leader"


def test_leadership_leaves_a_member_whose_log_takes_long_to_reach_its_disk(
    formed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All but how long a sync took is etcd's."""
    leader = next(member for member in formed.members if (look := look_at(member)) is not None and look.leads)

    def write_more(seconds: float) -> None:
        for number in range(3):
            put(formed, leader.name, "k", str(number))

    def timed(member: Peer, *, packed: bool = False) -> Look | None:
        look = look_at(member, packed=packed)
        assert look is not None
        within = 0 if member == leader else look.syncs.total
        return replace(look, syncs=replace(look.syncs, quick=within, bearable=within))

    monkeypatch.setattr(slow_disk, "look_at", timed)
    monkeypatch.setattr("components.node.agent.slow_disk.time.sleep", write_more)
    watch = Watch(formed.machines[leader.name])
    watch.once()
    write_more(0)
    watch.once()
    monkeypatch.undo()
    looks = {member.name: look_at(member) for member in formed.members}
    assert [name for name, look in looks.items() if look is not None and look.leads] != [leader.name]
    assert {name: look.member_id for name, look in looks.items() if look is not None} == formed.listed(leader.name)


@pytest.mark.parametrize("seconds", [0.08, 1.0])
def test_leadership_leaves_a_member_whose_link_is_slow(
    formed: World, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    """Moved, or where the way is too long for that by others' votes. All is etcd's but how long it is and, on loopback,
    from where others come; no agents answer."""
    leader = next(member for member in formed.members if (look := look_at(member)) is not None and look.leads)
    near = sock_diag.streams

    def far(connections: Iterable[Connection]) -> dict[bytes, Stream]:
        known = near(connections).items()
        return {identity: replace(one, peer=identity.hex(), round_trip_seconds=seconds) for identity, one in known}

    monkeypatch.setattr(sock_diag, "streams", far)
    monkeypatch.setattr(slow_link, "is_quick", lambda other: True)
    watch = slow_link.Watch(formed.machines[leader.name])

    def moved() -> bool:
        watch.once()
        look = look_at(leader)
        return look is not None and not look.leads

    eventually(moved, 10, f"{leader.name} does not lead")


def test_the_others_elect_a_leader_where_a_slow_one_cannot_be_moved_and_no_write_is_lost(
    formed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    leader = next(member for member in formed.members if (look := look_at(member)) is not None and look.leads)
    other = next(member for member in formed.members if member != leader)

    def refuse(self: Etcdctl, endpoint: str, to: int, timeout: float) -> None:
        raise EtcdctlError("leader transfer took too long")

    put(formed, leader.name, "before", "1")
    monkeypatch.setattr(Etcdctl, "move_leader", refuse)
    slow = SlowMember(formed.machines[leader.name], leader, slow_link.CAUSE)
    others = {name: number for name, number in formed.listed(other.name).items() if name != leader.name}
    slow.hand_over(0, others)
    look = look_at(leader)
    assert look is not None
    assert not look.leads
    assert get(formed, leader.name, "before") == "1"
    eventually(lambda: formed.healthy(leader.name), 10, f"{leader.name} is healthy")


def test_an_ordered_restore_makes_a_new_generation_with_the_snapshots_content(fresh: World) -> None:
    formed = fresh
    put(formed, "member-1", "k", "snapshotted")
    snapshot = formed.folder / "snapshot.db"
    endpoint = client_url(formed.members[0].address)
    etcd_of(formed, "member-1").etcdctl._run((endpoint,), "snapshot", "save", str(snapshot), timeout=10)
    put(formed, "member-1", "k", "later")
    content = snapshot.read_bytes()
    order = RestoreOrder(
        generation=2, token="token-2", members=record_of(formed).members, snapshot="snapshots/1",  # noqa: S106
        sha256=hashlib.sha256(content).hexdigest(),
    )  # fmt: skip
    formed.objects["snapshots/1"] = (content, "e")
    formed.objects["clusters/u1/restore.json"] = (order.encode(), "e")
    eventually(lambda: restored(formed, 2), 60, "generation 2 serves")
    healed(formed)
    assert get(formed, "member-2", "k") == "snapshotted"
    assert (record_of(formed).generation, record_of(formed).state) == (2, State.FORMED)
    status = etcd_of(formed, "member-3").etcdctl._run((endpoint,), "endpoint", "status", "-w=json", timeout=5)
    assert json.loads(status)[0]["Status"]["header"]["revision"] > 1_000_000_000
    assert len(list((formed.machines["member-1"].paths.etcd_volume / "set-aside").iterdir())) == 1


def test_the_leader_is_not_defragmented_while_another_member_is_fragmented(
    formed: World, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(defragmentation, "MINIMUM_BYTES", 0)
    monkeypatch.setattr(defragmentation, "USED_SHARE", 2.0)
    monkeypatch.setattr(defragmentation, "CHECK_SECONDS", 0)
    done = {}
    for name, context in formed.machines.items():
        capfd.readouterr()
        Defragmentation().tick(context, etcd_of(formed, name), context.lock)
        done[defragmentation.size_at(context.machine.address).leader] = "defragmenting" in capfd.readouterr().out
    assert done == {True: False, False: True}


def restored(world: World, generation: int) -> bool:
    """Let every machine's loop go round once; whether the generation is finished."""
    for name, step in world.steps.items():
        step.tick(world.machines[name])
    return f"clusters/u1/restores/{generation}/finished" in world.objects


def etcd_of(world: World, name: str) -> EtcdCluster:
    return cluster(world.machines[name])


def put(world: World, by: str, key: str, value: str) -> None:
    etcdctl = etcd_of(world, by).etcdctl
    etcdctl._run((client_url(world.machines[by].machine.address),), "put", key, value, timeout=5)


def get(world: World, by: str, key: str) -> str:
    etcdctl = etcd_of(world, by).etcdctl
    endpoint = client_url(world.machines[by].machine.address)
    return etcdctl._run((endpoint,), "get", key, "--print-value-only", timeout=5).strip()
