"""The stack's bucket, as machines use it: of two that write at once one wins, and locks stay locked."""

import time
from pathlib import Path

import pytest

from components.node.agent.cloud import AccessDeniedError, ConflictError, NotFoundError
from components.node.lock import ClusterLock, LockedError
from components.node.record import Keys
from tests.aws.agent.conftest import Machine
from tests.aws.agent.world import BUCKET, UID, World

FOLDER = f"clusters/{UID}"


def test_of_two_that_create_the_record_one_wins(machine: Machine) -> None:
    key = Keys(UID).record
    etag = machine.cloud.put(key, b"one", if_absent=True)
    with pytest.raises(ConflictError):
        machine.cloud.put(key, b"two", if_absent=True)
    assert machine.cloud.get(key) == (b"one", etag)
    machine.cloud.delete(key)


def test_of_two_that_replace_an_object_one_wins(machine: Machine) -> None:
    key = f"{FOLDER}/replaced"
    etag = machine.cloud.put(key, b"one")
    machine.cloud.put(key, b"two", if_match=etag)
    with pytest.raises(ConflictError):
        machine.cloud.put(key, b"three", if_match=etag)
    with pytest.raises(ConflictError):
        machine.cloud.put(f"{key}.absent", b"four", if_match=etag)
    assert machine.cloud.get(key)[0] == b"two"


def test_only_a_real_not_found_means_absence(machine: Machine, world: World) -> None:
    with pytest.raises(NotFoundError):
        machine.cloud.get(f"{FOLDER}/absent")
    with world.without(machine.role, "s3:GetObject"), pytest.raises(AccessDeniedError):
        machine.cloud.get(f"{FOLDER}/absent")


def test_it_puts_lists_and_reads_a_snapshot_that_nobody_can_delete(
    machine: Machine, world: World, tmp_path: Path
) -> None:
    snapshot, back = tmp_path / "snapshot", tmp_path / "back"
    snapshot.write_bytes(b"etcd" * 1000)
    key = f"{FOLDER}/snapshots/1"
    machine.cloud.upload(key, str(snapshot), retain_until=time.time() + 3600)
    assert [(entry.key, entry.size) for entry in machine.cloud.list(f"{FOLDER}/snapshots/")] == [(key, 4000)]
    machine.cloud.download(key, str(back))
    assert back.read_bytes() == snapshot.read_bytes()
    held = world.ask("s3", "head_object", Bucket=BUCKET, Key=key)
    assert held["ObjectLockMode"] == "COMPLIANCE"
    # Of a versioned bucket a DELETE hides an object; what is locked is its version, and it is still there.
    with pytest.raises(Exception, match="Access Denied"):
        world.ask("s3", "delete_object", Bucket=BUCKET, Key=key, VersionId=held["VersionId"])


def test_no_machine_may_write_what_all_machines_run(machine: Machine) -> None:
    with pytest.raises(AccessDeniedError):
        machine.cloud.put("agent/other.tar.gz", b"not the stack's agent")
    with pytest.raises(AccessDeniedError):
        machine.cloud.put("artifacts/0/etcd", b"not the stack's etcd")


def test_the_clusters_lock_is_one_machines_at_a_time(machine: Machine) -> None:
    one = ClusterLock(machine.cloud, Keys(UID).lock, "master-1")
    other = ClusterLock(machine.cloud, Keys(UID).lock, "master-2")
    with one.hold("replacement", 60), pytest.raises(LockedError):
        other.acquire("replacement", 60)
    other.acquire("replacement", 60)
    other.release()
