"""A snapshot leaves one stack as a file and goes into another, with the keys that reading it takes."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cli import recovery_keys
from cli.fetch_snapshot import fetch
from cli.object_store import Memory
from cli.refused import RefusedError
from components import recovery
from components.node.agent.recovery_keys import SECRETS
from components.node.record import Keys
from components.node.snapshots import SnapshotKeys
from tests.restore.case import restoring
from tests.restore.machines import UID, Restorable

KEYS = {name: {field: f"{name}'s {field}" for field in fields} for name, fields in recovery.FIELDS.items()}


@pytest.mark.timeout(240)
def test_a_file_is_restored_where_its_cluster_never_was(machines: Restorable, tmp_path: Path) -> None:
    file = tmp_path / "brought.db"
    machines.put("k", "of the old stack")
    with restoring(machines, "three voters", "restore of another stack's file", "its content") as snapshot:
        assert fetch(machines.memory, None, file) == 0
        assert file.stat().st_mode & 0o077 == 0
        with pytest.raises(RefusedError, match="is there already"):
            fetch(machines.memory, None, file)
        machines.put("k", "of the new stack")
        # As in another stack: its store knows nothing of that snapshot.
        for key in (SnapshotKeys(UID).database(snapshot.name), SnapshotKeys(UID).metadata(snapshot.name)):
            machines.store.delete(key)
        assert machines.restore(source=file, dry_run=True) == 0
        assert not machines.store.list(Keys(UID).restore)
        assert machines.restore(source=file, yes=True) == 0
        machines.heal()
    assert {machines.value("k", by=name) for name in machines.names} == {"of the old stack"}


def test_a_damaged_file_and_a_damaged_snapshot_are_refused(machines: Restorable, tmp_path: Path) -> None:
    file = tmp_path / "brought.db"
    snapshot = machines.snapshot()
    content, _ = machines.store.get(SnapshotKeys(UID).database(snapshot.name))
    file.write_bytes(content[:5000] + b"?" + content[5001:])
    with pytest.raises(RefusedError, match="bytes are missing or were changed"):
        machines.restore(source=file, yes=True)
    with pytest.raises(RefusedError, match="No such file"):
        machines.restore(source=tmp_path / "none.db", yes=True)
    with pytest.raises(RefusedError, match="give one of them"):
        machines.restore(source=file, snapshot=snapshot.name, yes=True)
    machines.damage(snapshot, file.read_bytes())
    with pytest.raises(RefusedError, match="bytes are missing or were changed"):
        fetch(machines.memory, None, tmp_path / "fetched.db")
    assert [path.name for path in tmp_path.iterdir() if "fetched" in path.name] == []


def test_the_keys_that_machines_keep_are_those_that_a_stack_adopts() -> None:
    assert set(SECRETS) == set(recovery.FIELDS)
    assert recovery.parse(json.dumps(KEYS)) == KEYS
    assert recovery.parse(None) == {}


@pytest.mark.parametrize("name", KEYS)
def test_keys_that_are_not_whole_are_refused_without_being_told(name: str) -> None:
    without = {other: fields for other, fields in KEYS.items() if other != name}
    wrong: list[Any] = [{**KEYS, name: {}}, {**KEYS, name: "text"}, without, [], 7]
    for broken in wrong:
        with pytest.raises(recovery.RecoveryKeysError, match=name) as refused:
            recovery.parse(json.dumps(broken))
        assert "'s key" not in str(refused.value)
    with pytest.raises(recovery.RecoveryKeysError, match="not JSON"):
        recovery.parse("secret" + json.dumps(KEYS))


class Store:
    """An object store with recovery keys of two moments."""

    def list(self, prefix: str) -> list[Any]:
        return [SimpleNamespace(key="new", modified=2), SimpleNamespace(key="old", modified=1)]

    def get(self, key: str) -> tuple[bytes, str]:
        return key.encode(), "etag"

    def unwrap(self, wrapped: bytes) -> bytes:
        return b"unwrapped " + wrapped


def test_the_newest_keys_go_into_a_file_of_their_owners_and_over_no_other(tmp_path: Path) -> None:
    file, memory = tmp_path / "keys.json", Memory(UID, cast(Any, Store()))
    assert recovery_keys.write(memory, file) == 0
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("unwrapped new", 0o600)
    with pytest.raises(RefusedError, match="is there already; name another file"):
        recovery_keys.write(memory, file)


class Engine:
    """`Engine` of a stack with these resources; what was set in it."""

    stack = "new"

    def __init__(self, *resources: Any) -> None:
        self.found = list(resources)
        self.set: list[tuple[str, ...]] = []
        self.typed: str | None = None

    def select(self) -> None: ...

    def resources(self) -> list[Any]:
        return self.found

    def read(self, *arguments: str, typed: str | None = None) -> str:
        self.set.append(arguments)
        self.typed = typed
        return ""


def test_a_stack_adopts_keys_only_before_it_is_up(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps(KEYS))
    engine: Any = Engine()
    assert recovery_keys.adopt(engine, file) == 0
    assert engine.set == [("config", "set", "--secret", "recovery:keys", "--stack", "new")], "no key among arguments"
    assert json.loads(str(engine.typed)) == KEYS
    running: Any = Engine(SimpleNamespace())
    with pytest.raises(RefusedError, match="is up, with keys of its own"):
        recovery_keys.adopt(running, file)
    file.write_text("{}")
    with pytest.raises(RefusedError, match=r"kubernetes-ca\.certificate"):
        recovery_keys.adopt(engine, file)
    with pytest.raises(RefusedError, match=r"absent\.json: No such file or directory; recovery-keys of the other"):
        recovery_keys.adopt(engine, tmp_path / "absent.json")
