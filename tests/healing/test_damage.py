"""Data that is damaged, databases and disks that are full: found, and repaired where a quorum is left without."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from components.node.agent import defragmentation, repair
from components.node.agent.cluster import answers
from components.node.agent.etcdctl import AlarmKind, EtcdctlError
from components.node.agent.member import cluster
from components.node.etcd import UNIT, client_url, metrics_url
from tests.agent import processes
from tests.agent.processes import eventually
from tests.healing.case import case
from tests.healing.kv import Kv
from tests.healing.machines import SLOW, Agent, Machines

pytestmark = pytest.mark.timeout(240)

MARKER = b"a value that nobody else writes 0001"
CHANGED = b"a value that nobody else writes 0002"


@pytest.fixture(scope="module", autouse=True)
def _frequent_checks() -> Iterator[None]:
    """etcd compares the hashes of compactions every second instead of every minute."""
    original = processes._on_loopback

    def adapted(configuration: Path) -> Path:
        path = original(configuration)
        path.write_text(json.dumps({**json.loads(path.read_text()), "compact-hash-check-time": 10**9}))
        return path

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(processes, "_on_loopback", adapted)
        yield


def follower(machines: Machines) -> str:
    leader = machines.leader()
    return next(name for name in machines.names if name != leader)


def run(machines: Machines, name: str, *arguments: str) -> str:
    context = machines.machines[name]
    return cluster(context).etcdctl._run((client_url(context.machine.address),), *arguments, timeout=30)


def database(machines: Machines, name: str) -> Path:
    return machines.data(name) / "member/snap/db"


def mark(machines: Machines, name: str) -> None:
    """Write the value, and so much after it that its page is not the one that every commit copies from memory."""
    client = Kv(machines.machines[name], machines.machines[name].machine.address)
    assert client.put("marker", MARKER, timeout=10)
    assert all(client.put(f"after{number}", b"x" * 100, timeout=10) for number in range(300))
    client.close()
    eventually(lambda: MARKER in database(machines, name).read_bytes(), SLOW, "the value is in the file")
    time.sleep(1)


def alter(path: Path) -> None:
    """Change a value where it lies; no checksum of bbolt's covers it."""
    content = path.read_bytes()
    assert MARKER in content
    with path.open("r+b") as file:
        at = content.find(MARKER)
        while at >= 0:
            file.seek(at)
            file.write(CHANGED)
            at = content.find(MARKER, at + 1)


def compared(machines: Machines, name: str, before: int) -> bool:
    """Compact, as API servers do every five minutes; whether a member is not `before` any more."""
    try:
        run(machines, machines.leader(), "compact", str(machines.status(name).revision))
        time.sleep(4)
        return machines.listed(machines.leader()).get(name, before) != before
    except EtcdctlError:
        return False


def rebuilt(machines: Machines, name: str, before: int) -> None:
    machines.heal()
    assert machines.listed(machines.leader())[name] != before
    assert list((machines.volume(name) / "set-aside").iterdir())


def test_a_value_changed_under_a_running_member_is_found_and_the_member_rebuilt(three: Machines) -> None:
    name = follower(three)
    before = three.listed(name)[name]
    mark(three, name)
    with case(
        three, "three voters, one value differs", "compaction compares hashes", "CORRUPT alarm, rebuilt, cleared"
    ):
        alter(database(three, name))
        eventually(lambda: compared(three, name, before), SLOW, "the member is another")
        rebuilt(three, name, before)
    assert not cluster(three.machines[name]).etcdctl.alarms((client_url(three.machines[name].machine.address),))
    assert run(three, name, "get", "marker", "--print-value-only").strip() == MARKER.decode()


def test_data_that_differs_is_found_at_the_start_and_rebuilt(three: Machines) -> None:
    name = follower(three)
    before = three.listed(name)[name]
    mark(three, name)
    with case(three, "three voters", "a value changes on a dead member's disk", "refused at its start, rebuilt"):
        three.die(name)
        alter(database(three, name))
        three.boot(name)
        rebuilt(three, name, before)
    assert run(three, name, "get", "marker", "--print-value-only").strip() == MARKER.decode()


def test_a_database_file_of_garbage_is_rebuilt(three: Machines) -> None:
    name = follower(three)
    before = three.listed(name)[name]
    with case(three, "three voters", "a dead member's database is garbage", "etcd cannot open it, rebuilt"):
        three.die(name)
        database(three, name).write_bytes(os.urandom(1024**2))
        three.boot(name)
        rebuilt(three, name, before)


def test_a_damaged_log_is_rebuilt(three: Machines) -> None:
    name = follower(three)
    before = three.listed(name)[name]
    with case(three, "three voters", "a dead member's log has changed bytes", "checksum fails, rebuilt"):
        three.die(name)
        log = max((three.data(name) / "member/wal").glob("*.wal"))
        with log.open("r+b") as file:
            file.seek(200)
            file.write(os.urandom(400))
        three.boot(name)
        rebuilt(three, name, before)


def test_a_corrupt_member_is_not_removed_while_the_others_need_it(three: Machines) -> None:
    name = follower(three)
    other = next(one for one in three.names if one not in {name, three.leader()})
    before = three.listed(name)[name]
    with case(three, "a corrupt member, one away", "it cannot start", "kept until the other is back, then rebuilt"):
        three.die(name, other)
        database(three, name).write_bytes(os.urandom(1024**2))
        three.boot(name)
        eventually(lambda: "no quorum without it" in three.agents[name].said, SLOW, "it waits")
        assert not (three.volume(name) / "set-aside").exists() or three.data(name).exists()
        three.boot(other)
        rebuilt(three, name, before)


def test_a_corrupt_member_that_is_half_of_a_quorum_goes_on_until_the_other_is_back(three: Machines) -> None:
    name = follower(three)
    other = next(one for one in three.names if one not in {name, three.leader()})
    before = three.listed(name)[name]
    with case(three, "CORRUPT of a member, one away", "its repair would end the quorum", "serves, rebuilt when it may"):
        three.die(other)
        client = Kv(three.machines[name], three.machines[name].machine.address)
        eventually(lambda: client.raise_alarm(before, AlarmKind.CORRUPT), SLOW, "the two that are left have a quorum")
        client.close()
        eventually(lambda: "no quorum without it" in three.agents[name].said, SLOW, "it waits")
        assert three.serving(name)
        assert three.data(name).exists()
        three.boot(other)
        rebuilt(three, name, before)


def says_what_to_do(agent: Agent) -> bool:
    return "make restore" in agent.said


def test_a_corruption_that_nobody_can_be_blamed_for_is_left_to_people(three: Machines) -> None:
    with case(three, "three voters", "CORRUPT without a majority that agrees", "said, nobody rebuilt, cleared by hand"):
        before = three.listed("member-1")
        client = Kv(three.machines["member-1"], three.members[0].address)
        assert client.raise_alarm(0, AlarmKind.CORRUPT)
        client.close()
        for name in three.names:
            agent = three.agents[name]
            eventually(partial(says_what_to_do, agent), SLOW, f"{name} says what to do")
        assert three.listed("member-1") == before
        run(three, "member-1", "alarm", "disarm")
        three.heal()


def test_the_alarm_of_a_removed_member_is_cleared(three: Machines) -> None:
    etcdctl, endpoint = cluster(three.machines["member-1"]).etcdctl, client_url(three.members[0].address)
    with case(three, "three voters", "CORRUPT of a member that was removed", "cleared, writes go on") as writer:
        client = Kv(three.machines["member-1"], three.members[0].address)
        assert client.raise_alarm(7, AlarmKind.CORRUPT)
        client.close()
        eventually(lambda: not etcdctl.alarms((endpoint,)), SLOW, "the alarm is gone")
        served = len(writer.acknowledged)
        eventually(lambda: len(writer.acknowledged) > served, SLOW, "writes are taken")
        three.heal()


def test_defragmentation_takes_the_leader_last(three: Machines, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[bool] = []
    defragment = type(cluster(three.machines["member-1"]).etcdctl).defragment

    def recorded(etcdctl: object, endpoint: str) -> None:
        order.append(three.status(three.leader()).member_id == etcdctl.status(endpoint).member_id)  # type: ignore[attr-defined]
        defragment(etcdctl, endpoint)  # type: ignore[arg-type]

    monkeypatch.setattr("components.node.agent.etcdctl.Etcdctl.defragment", recorded)
    client = Kv(three.machines["member-1"], three.members[0].address)
    # The alarm of the test before is disarmed at every member a moment after it is at one.
    eventually(lambda: client.put("first", b"x", timeout=10), SLOW, "writes are taken")
    assert all(client.put(f"bulk{number}", b"x" * 400_000, timeout=10) for number in range(60))
    client.close()
    run(three, "member-1", "del", "--prefix", "bulk")
    run(three, "member-1", "compact", "--physical", str(three.status("member-1").revision))
    with case(three, "three voters, fragmented", "members look at their files", "defragmented, no leader among them"):
        monkeypatch.setattr(defragmentation, "MINIMUM_BYTES", 8 * 1024**2)
        monkeypatch.setattr(defragmentation, "CHECK_SECONDS", 1.0)
        eventually(lambda: len(order) >= 3, SLOW, "all have been defragmented")
        three.heal()
    assert not any(order)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Machines]:
    """Three members whose databases may have 16 MiB."""
    made = Machines(tmp_path)
    made.quota = 16 * 1024**2
    made.boot()
    made.heal()
    yield made
    made.end()


def fill(machines: Machines, keys: int) -> None:
    """Write until etcd refuses; 10 keys again and again, or ever new ones."""
    name = machines.leader()
    client = Kv(machines.machines[name], machines.machines[name].machine.address)
    number = 0
    while client.put(f"fill{number % keys}", b"x" * 400_000, timeout=10):
        number += 1
        assert number < 500
    client.close()


def test_a_database_full_of_history_makes_room_by_itself(small: Machines) -> None:
    with case(
        small, "three voters, 16 MiB quota", "history fills it: NOSPACE", "compacted, defragmented, cleared"
    ) as w:
        fill(small, keys=3)
        served = len(w.acknowledged)
        eventually(lambda: small.whole() and len(w.acknowledged) > served, SLOW, "there is room again")


def test_a_database_full_of_objects_says_so_and_takes_deletions(small: Machines) -> None:
    with case(small, "three voters, 16 MiB quota", "live objects fill it; some are deleted", "said; then room again"):
        fill(small, keys=10_000)
        eventually(
            lambda: any("delete objects" in small.agents[name].said for name in small.names), SLOW, "it says what to do"
        )
        run(small, "member-1", "del", "--prefix", "fill")
        small.heal()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small disk: needs root")
def test_a_full_disk_stops_one_member_until_there_is_space(tmp_path: Path) -> None:
    machines = Machines(tmp_path)
    disk = tmp_path / "member-3"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300m", "tmpfs", str(disk)], check=True)
    try:
        machines.boot()
        machines.heal()
        with case(machines, "three voters", "one disk is full", "the others serve; back when there is space") as writer:
            filler = disk / "filler"
            with filler.open("wb") as file:
                file_full(file.fileno())
            machines.signal("member-3", signal.SIGKILL)
            eventually(lambda: not machines.processes("member-3").active(UNIT), SLOW, "etcd ended")
            served = len(writer.acknowledged)
            eventually(lambda: len(writer.acknowledged) > served + 5, SLOW, "the others serve")
            filler.unlink()
            machines.heal()
    finally:
        machines.end()
        subprocess.run(["umount", str(disk)], check=False)


def file_full(descriptor: int) -> None:
    """Write until nothing fits any more."""
    try:
        while True:
            os.write(descriptor, b"\0" * 1024**2)
    except OSError:
        return


@pytest.mark.parametrize(
    "line",
    [
        '{"level":"fatal","msg":"d6 found data inconsistency with peers"}',
        "panic: walpb: crc mismatch",
        "panic: freepages: failed to get all reachable pages (page 6: multiple references)",
        "tocommit(11) is out of range [lastIndex(8)]. Was the raft log corrupted, truncated, or lost?",
        "panic: failed to open database: invalid database",
    ],
)
def test_etcds_own_words_for_damage_are_understood(line: str) -> None:
    assert repair.damage(f"start\n{line}\ngoroutine 1 [running]:") == line


@pytest.mark.parametrize("line", ["no space left on device", "bind: address already in use", "x509: expired"])
def test_what_a_rebuild_would_not_repair_is_no_damage(line: str) -> None:
    assert repair.damage(line) is None


def test_health_without_alarms_is_what_quorums_are_counted_by(three: Machines) -> None:
    """Else an alarm, which all members have at once, would keep each of them from being repaired."""
    client = Kv(three.machines["member-1"], three.members[0].address)
    client.raise_alarm(0, AlarmKind.CORRUPT)
    client.close()
    address = three.members[1].address
    eventually(lambda: not answers(metrics_url(address, "/health"), 2), SLOW, "the alarm is seen")
    assert three.serving("member-2")
    run(three, "member-1", "alarm", "disarm")
