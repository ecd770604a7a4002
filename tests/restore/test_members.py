"""Restores of real etcd clusters by machines that look after themselves."""

import pytest

from components.node.etcd import UNIT
from components.node.record import Keys, RestoreOrder
from components.node.snapshots import SnapshotKeys
from tests.agent.processes import eventually
from tests.healing.machines import SLOW
from tests.restore.case import restoring
from tests.restore.machines import UID, Restorable

pytestmark = pytest.mark.timeout(240)


def test_etcd_becomes_what_the_snapshot_holds_and_nothing_is_deleted(machines: Restorable) -> None:
    machines.put("k", "before")
    machines.put("/registry/masterleases/10.0.0.1")
    with restoring(machines, "three voters", "restore", "the snapshot's content, old data kept aside") as snapshot:
        machines.put("k", "after")
        machines.await_finished(machines.order(snapshot))
        machines.heal()
    assert {machines.value("k", by=name) for name in machines.names} == {"before"}
    assert machines.value("/registry/masterleases/10.0.0.1") == "", "it says where API servers of another time are"
    assert int(machines.status("member-1").revision) > 1_000_000_000, "watches of before must not go on"
    for name in machines.names:
        assert list((machines.volume(name) / "set-aside").glob(f"*-{UID}-1-*"))
        said = machines.processes(name).output_end(UNIT, 0)
        assert "initial corruption check" not in said, "all have the same, and would wait for each other"


def test_the_same_snapshot_restored_twice_gives_no_revision_twice(machines: Restorable) -> None:
    with restoring(machines, "three voters", "restore, and again the same snapshot", "no revision twice") as snapshot:
        machines.await_finished(machines.order(snapshot))
        machines.heal()
        machines.put("k")
        seen = machines.status("member-1").revision
        machines.await_finished(machines.order(snapshot))
        machines.heal()
    assert machines.status("member-1").revision > seen, "a client's watch would go on where it never was"


def test_a_member_that_comes_late_rewinds_nothing(machines: Restorable) -> None:
    machines.put("k", "before")
    with restoring(machines, "three voters, one away", "restore; it comes late", "a voter, none rewound") as snapshot:
        machines.die("member-3")
        machines.await_finished(machines.order(snapshot))
        eventually(lambda: machines.serving("member-1"), SLOW, "two serve")
        machines.put("k", "after the restore")
        machines.boot("member-3")
        machines.heal()
    assert machines.value("k", by="member-3") == "after the restore"
    assert machines.record().generation == 2


@pytest.mark.parametrize("damage", ["changed", "truncated", "gone", "another"])
def test_a_snapshot_that_was_damaged_stops_nobody(machines: Restorable, damage: str) -> None:
    machines.put("k", "v")
    before = machines.listed("member-1"), [machines.pid(name) for name in machines.names]
    another, _ = machines.store.get(SnapshotKeys(UID).database(machines.snapshot().name))

    def is_void() -> bool:
        return bool(RestoreOrder.model_validate_json(machines.store.get(Keys(UID).restore)[0]).withdrawn)

    with restoring(machines, f"three voters, snapshot {damage}", "restore", "refused, nobody stopped") as snapshot:
        content, _ = machines.store.get(SnapshotKeys(UID).database(snapshot.name))
        # Before anybody can fetch it.
        machines.damage(snapshot, {
            "changed": content[:5000] + b"?" + content[5001:], "truncated": content[: len(content) // 2], "gone": None,
            "another": another,
        }[damage])  # fmt: skip
        order = machines.order(snapshot)
        eventually(lambda: machines.progress(order).is_impossible, SLOW, "they say that they cannot")
        eventually(is_void, SLOW, "nobody has to obey it any more")
        machines.heal()
    assert (machines.listed("member-1"), [machines.pid(name) for name in machines.names]) == before
    assert machines.value("k") == "v"
    assert not machines.progress(order).left


def test_when_every_disk_is_lost_a_restore_brings_all_back(machines: Restorable) -> None:
    machines.put("k", "v")
    with restoring(machines, "three voters", "every disk is lost; restore", "three voters again") as snapshot:
        machines.die(*machines.names)
        for name in machines.names:
            machines.empty(name)
        machines.boot()
        for name in machines.names:
            eventually(lambda name=name: "never form" in machines.agents[name].said, SLOW, f"{name} waits")  # type: ignore[misc]
        machines.await_finished(machines.order(snapshot))
        machines.heal()
    assert machines.value("k", by="member-3") == "v"


def test_a_store_that_falls_silent_in_the_middle_delays_a_restore(machines: Restorable) -> None:
    machines.put("k", "before")
    with restoring(machines, "three voters", "restore; the store is silent a while", "done when it speaks") as snapshot:
        machines.put("k", "after")
        order = machines.order(snapshot)
        eventually(lambda: bool(machines.progress(order).prepared), SLOW, "somebody has the snapshot")
        clouds = [machines.machines[name].cloud for name in machines.names]
        for cloud in clouds:
            cloud.down = True  # type: ignore[attr-defined]
        eventually(lambda: all("does not answer" in machines.agents[n].said or machines.serving(n)
                               for n in machines.names), SLOW, "they go on serving or say why not")  # fmt: skip
        for cloud in clouds:
            cloud.down = False  # type: ignore[attr-defined]
        machines.await_finished(order)
        machines.heal()
    assert {machines.value("k", by=name) for name in machines.names} == {"before"}


def test_a_full_disk_is_said_and_stops_nobody(machines: Restorable, monkeypatch: pytest.MonkeyPatch) -> None:
    machines.put("k", "v")

    def full(self: object, key: str, path: str) -> None:
        raise OSError(28, "No space left on device")

    with restoring(machines, "three voters, disks full", "restore", "refused, nobody stopped") as snapshot:
        monkeypatch.setattr(type(machines.store), "download", full)
        order = machines.order(snapshot)
        eventually(lambda: machines.progress(order).is_impossible, SLOW, "they say that they cannot")
        assert all("No space left on device" in why for why in machines.progress(order).failed.values())
        machines.heal()
    assert machines.value("k") == "v"
