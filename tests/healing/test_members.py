"""Members that die, lose their disks, are away, come back: each heals by itself and no acknowledged write is lost."""

import signal
import threading
import time
from typing import Any

import pytest

from components.node.agent.cloud import CloudError
from components.node.agent.cluster import SERVING, EtcdCluster, answers
from components.node.agent.etcdctl import EtcdctlError
from components.node.agent.member import cluster
from components.node.etcd import UNIT, client_url, metrics_url
from components.node.machine import Peer
from components.node.record import Keys, Record, State
from tests.agent.processes import eventually
from tests.healing.case import case
from tests.healing.machines import SLOW, Machines

pytestmark = pytest.mark.timeout(240)


def says(machines: Machines, name: str, words: str) -> None:
    eventually(lambda: words in machines.agents[name].said, SLOW, f"{name} says {words!r}")


def test_empty_disks_form_one_cluster(tmp_path_factory: pytest.TempPathFactory) -> None:
    machines = Machines(tmp_path_factory.mktemp("new"))
    machines.boot()
    try:
        with case(machines, "three empty disks", "boot at once", "one cluster, formed"):
            machines.heal()
            eventually(lambda: record(machines).state is State.FORMED, SLOW, "the record says formed")
    finally:
        machines.end()


def test_a_follower_that_dies_comes_back_as_itself(three: Machines) -> None:
    before, leader = three.listed("member-1"), three.leader()
    name = next(name for name in three.names if name != leader)
    with case(three, "three voters", "a follower's machine dies", "same member, same ID"):
        three.die(name)
        three.boot(name)
        three.heal()
    assert three.listed("member-1") == before


def test_a_leader_that_dies_comes_back_as_itself(three: Machines) -> None:
    before, name = three.listed("member-1"), three.leader()
    with case(three, "three voters", "the leader's machine dies", "same member, same ID"):
        three.die(name)
        three.boot(name)
        three.heal()
    assert three.listed("member-1") == before


def test_etcd_alone_that_dies_is_started(three: Machines) -> None:
    with case(three, "three voters", "one etcd process is killed", "started by its agent"):
        three.kill("member-2")
        three.heal()


def test_a_member_that_hangs_is_carried_and_catches_up(three: Machines) -> None:
    before = three.listed("member-1")
    with case(three, "three voters", "one etcd hangs for 6 s (silent)", "the others serve, it catches up") as writer:
        three.signal("member-3", signal.SIGSTOP)
        time.sleep(3)
        served = len(writer.acknowledged)
        time.sleep(3)
        assert len(writer.acknowledged) > served
        three.signal("member-3", signal.SIGCONT)
        three.heal()
    assert three.listed("member-1") == before


def test_a_dead_machine_with_a_blank_volume_is_replaced(three: Machines) -> None:
    before = three.listed("member-1")
    with case(three, "three voters", "a machine and its disk are lost", "new ID, three voters"):
        three.die("member-3")
        three.empty("member-3")
        three.boot("member-3")
        three.heal()
    after = three.listed("member-1")
    assert after["member-3"] != before["member-3"]
    assert after["member-1"] == before["member-1"]


def test_the_leaders_blank_volume_is_replaced(three: Machines) -> None:
    name = three.leader()
    with case(three, "three voters", "the leader and its disk are lost", "new ID, three voters"):
        three.die(name)
        three.empty(name)
        three.boot(name)
        three.heal()


def test_a_disk_wiped_under_a_running_member_never_votes_again(three: Machines) -> None:
    before = three.listed("member-1")
    with case(three, "three voters", "a disk is wiped under its etcd", "process ended, joined under a new ID"):
        three.empty("member-2")
        three.volume("member-2").mkdir()
        three.kill("member-2")
        three.heal()
    assert three.listed("member-1")["member-2"] != before["member-2"]


def test_a_disk_emptied_under_a_running_member_is_noticed_while_it_runs(three: Machines) -> None:
    """Its process goes on without its files until it ends, and two of those would be a quorum lost."""
    before, name = three.listed("member-1"), three.leader()
    with case(three, "three voters", "the leader's disk is emptied, etcd runs on", "joined under a new ID"):
        three.empty(name)
        three.volume(name).mkdir()
        assert three.serving(name)
        three.heal()
    assert three.listed("member-1")[name] != before[name]


def test_the_volume_of_another_cluster_is_set_aside(three: Machines) -> None:
    with case(three, "three voters", "a machine gets another cluster's volume", "set aside and kept, joined anew"):
        three.die("member-2")
        own = three.data("member-2")
        own.rename(own.with_name(own.name.replace("u1-", "u0-")))
        three.boot("member-2")
        three.heal()
    (kept,) = (three.volume("member-2") / "set-aside").glob("*-u0-*")
    assert (kept / "member" / "wal").is_dir()


def test_a_member_replaced_while_it_was_away_comes_back_as_nobody(three: Machines) -> None:
    with case(three, "three voters", "hung, replaced meanwhile, old disk back", "old disk set aside, joined anew"):
        three.signal("member-3", signal.SIGSTOP)
        time.sleep(1)
        three.die("member-3")
        old = three.volume("member-3").with_name("old")
        three.volume("member-3").rename(old)
        three.boot("member-3")
        three.heal()
        three.die("member-3")
        three.empty("member-3")
        old.rename(three.volume("member-3"))
        three.boot("member-3")
        three.heal()
    assert list((three.volume("member-3") / "set-aside").iterdir())


def test_a_learner_that_dies_before_it_caught_up_is_replaced_by_the_next(three: Machines) -> None:
    with case(three, "three voters", "blank machine dies as a learner, blank again", "three voters, no learner left"):
        three.die("member-3")
        three.empty("member-3")
        three.boot("member-3")
        eventually(lambda: three.processes("member-3").active(UNIT), SLOW, "the learner starts")
        three.die("member-3")
        three.empty("member-3")
        three.boot("member-3")
        three.heal()
    assert len(members(three)) == 3


def test_a_learner_whose_join_was_cut_short_is_promoted(three: Machines, monkeypatch: pytest.MonkeyPatch) -> None:
    promote, cut = EtcdCluster.promote, threading.Event()

    def silent_store(self: EtcdCluster, member_id: int) -> None:
        if not cut.is_set():
            cut.set()
            raise CloudError("the store is silent right before the promotion")
        promote(self, member_id)

    monkeypatch.setattr(EtcdCluster, "promote", silent_store)
    with case(three, "three voters", "a blank machine's join ends before its promotion", "three voters"):
        three.die("member-3")
        three.empty("member-3")
        three.boot("member-3")
        eventually(cut.is_set, SLOW, "it is a learner")
        three.heal()


def test_a_machine_that_died_in_the_middle_of_a_change_keeps_nobody_waiting(three: Machines) -> None:
    with case(three, "three voters", "one dies holding the lock, is back; a disk is lost", "three voters"):
        three.die("member-2")
        dead = three.machine("member-2")
        dead.lock.acquire("repair", SLOW * 2)
        three.boot("member-2")
        three.die("member-3")
        three.empty("member-3")
        three.boot("member-3")
        three.heal()


def test_a_learner_of_a_machine_that_never_comes_keeps_nobody_out(three: Machines) -> None:
    address = three.members[0].address.rsplit(".", 1)[0] + ".77"
    with case(three, "three voters", "a learner that never catches up, a lost disk", "replaced beside the learner"):
        endpoint = client_url(three.members[0].address)
        etcdctl = cluster(three.machines["member-1"]).etcdctl
        learners: list[int] = []

        def added() -> bool:
            try:
                learners.append(etcdctl.add_learner((endpoint,), "never", f"https://{address}:2380")[0])
            except EtcdctlError:
                return False
            return True

        eventually(added, SLOW, "etcd takes a change: members have known each other for 5 s")
        three.die("member-2")
        three.empty("member-2")
        three.boot("member-2")
        three.heal()
    etcdctl.remove((endpoint,), learners[0])


def test_quorum_lost_is_regained_with_the_data(three: Machines) -> None:
    with case(three, "three voters", "two machines die, come back", "quorum again, nothing formed anew"):
        three.die("member-1", "member-2")
        eventually(lambda: not three.serving("member-3"), SLOW, "no quorum")
        three.boot("member-1", "member-2")
        three.heal()
    assert record(three).generation == 1


def test_all_machines_restarted_at_once_go_on(three: Machines) -> None:
    before = three.listed("member-1")
    with case(three, "three voters", "all machines die at once, come back", "same members, same IDs"):
        three.die(*three.names)
        three.boot()
        three.heal()
    assert three.listed("member-1") == before


def test_a_blank_disk_without_a_quorum_waits_for_one(three: Machines) -> None:
    with case(three, "three voters", "all die, one disk is lost, it boots first", "forms nothing, then is replaced"):
        three.die(*three.names)
        three.empty("member-1")
        three.boot("member-1")
        says(three, "member-1", "never form a second cluster")
        assert not three.processes("member-1").active(UNIT)
        three.boot("member-2", "member-3")
        three.heal()


def test_a_disk_lost_while_another_member_is_away_waits_for_it(three: Machines) -> None:
    with case(three, "three voters", "one disk lost while another is away", "removed only when a quorum is left"):
        three.die("member-1", "member-2")
        three.empty("member-1")
        three.boot("member-1")
        says(three, "member-1", "never form a second cluster")
        three.boot("member-2")
        three.heal()


def test_without_the_object_store_a_member_starts_with_its_data(three: Machines) -> None:
    with case(three, "three voters, store away", "a machine dies, comes back", "starts with its data"):
        three.die("member-3")
        three.boot("member-3")
        three.machines["member-3"].cloud.down = True  # type: ignore[attr-defined]
        address = three.machines["member-3"].machine.address
        eventually(lambda: answers(metrics_url(address, SERVING), 2), SLOW, "member-3 serves")
        three.machines["member-3"].cloud.down = False  # type: ignore[attr-defined]
        three.heal()


def test_without_the_object_store_a_blank_disk_waits(three: Machines) -> None:
    with case(three, "three voters, store away", "a machine and its disk are lost", "waits, then is replaced"):
        three.die("member-3")
        three.empty("member-3")
        cloud = three.cloud
        three.cloud = lambda instance: unreadable(cloud(instance))  # type: ignore[method-assign]
        try:
            three.boot("member-3")
        finally:
            three.cloud = cloud  # type: ignore[method-assign]
        says(three, "member-3", "cannot be read")
        three.machines["member-3"].cloud.down = False  # type: ignore[attr-defined]
        three.heal()


def test_a_new_member_joins_as_a_learner_and_is_promoted(three: Machines) -> None:
    fourth = Peer(name="member-4", zone="zone-4", address=three.members[0].address.rsplit(".", 1)[0] + ".4")
    with case(three, "three voters", "a fourth machine boots", "joined as a learner, then four voters"):
        three.boot("member-4", members=(*three.members, fourth))
        eventually(lambda: three.whole((*three.names, "member-4")), SLOW, "four voters")
    etcdctl = cluster(three.machines["member-1"]).etcdctl
    etcdctl.remove((client_url(three.members[0].address),), three.listed("member-1")["member-4"])
    three.die("member-4")
    del three.agents["member-4"], three.machines["member-4"], three.steps["member-4"]


@pytest.fixture(scope="module")
def five(tmp_path_factory: pytest.TempPathFactory) -> Machines:
    made = Machines(tmp_path_factory.mktemp("five"), 5)
    made.boot()
    made.heal()
    return made


def test_two_of_five_die_at_once_and_come_back(five: Machines) -> None:
    with case(five, "five voters", "two machines die, come back", "served all the time, five voters") as writer:
        five.die("member-1", "member-4")
        eventually(lambda: len(writer.acknowledged) > 5, SLOW, "three serve")
        five.boot("member-1", "member-4")
        five.heal()


def test_two_of_five_lose_their_disks_at_once(five: Machines) -> None:
    before = five.listed("member-1")
    try:
        with case(five, "five voters", "two machines and their disks are lost", "replaced one at a time, five voters"):
            five.die("member-2", "member-5")
            five.empty("member-2")
            five.empty("member-5")
            five.boot("member-2", "member-5")
            five.heal(SLOW * 2)
        assert {name for name, one in five.listed("member-1").items() if one != before[name]} == {
            "member-2", "member-5"
        }  # fmt: skip
    finally:
        five.end()


def record(machines: Machines) -> Record:
    return Record.model_validate_json(machines.objects[Keys("u1").record][0])


def members(machines: Machines) -> list[int]:
    answer = cluster(machines.machines["member-1"]).etcdctl.member_list((client_url(machines.members[0].address),))
    return [member.id for member in answer.members]


def unreadable(cloud: Any) -> Any:
    """Secrets are there, the bucket is not."""
    secrets = cloud.secrets
    cloud.secret = lambda name: secrets[name]
    cloud.down = True
    return cloud
