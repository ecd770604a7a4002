"""`make restore` on real etcd, from the command to its last word: it loses what it said, and refuses what it must."""

import re
import time
from typing import Any

import pytest

from cli.refused import RefusedError
from components.node.agent.cloud import AccessDeniedError, CloudError
from components.node.agent.snapshot_store import SnapshotStore
from components.node.record import Keys
from components.node.snapshots import SnapshotKeys
from tests.agent.processes import eventually
from tests.healing.machines import SLOW
from tests.restore.case import restoring
from tests.restore.machines import UID, Restorable

pytestmark = pytest.mark.timeout(240)


def said(capsys: pytest.CaptureFixture[str]) -> str:
    out, err = capsys.readouterr()
    return " ".join((out + err).split())


def test_the_loss_is_exactly_what_the_dry_run_said(machines: Restorable, capsys: pytest.CaptureFixture[str]) -> None:
    machines.put("k", "before")
    snapshot = machines.snapshot()
    for number in range(5):
        machines.put(f"after-{number}")
    capsys.readouterr()
    assert machines.restore(dry_run=True) == 0
    foretold = re.search(r"lost (\d+) revisions", words := said(capsys))
    assert foretold is not None, words
    assert "nothing was changed" in words
    assert snapshot.name in words
    with pytest.raises(CloudError):
        machines.store.get(Keys(UID).restore)
    assert machines.restore(yes=True) == 0
    lost = re.search(r"lost (\d+) revisions; kept aside", words := said(capsys))
    assert lost is not None, words
    assert lost[1] == foretold[1] == "5"
    machines.heal()
    machines.put("after the restore")
    assert machines.restore(dry_run=True) == 0
    assert "lost 1 revisions" in said(capsys), "revisions are raised by a restore, and nobody wrote those"
    assert machines.value("k") == "before"
    assert machines.etcdctl("member-1", "get", "--prefix", "after-", "--keys-only") == ""


def test_a_restore_while_another_runs_is_refused_until_it_is_superseded(machines: Restorable) -> None:
    machines.put("k", "v")
    with restoring(machines, "two of three without the store", "SUPERSEDE=1", "the later order") as snapshot:
        others = [machines.machines[name].cloud for name in ("member-2", "member-3")]
        for cloud in others:
            cloud.down = True  # type: ignore[attr-defined]
        order = machines.order(snapshot)
        eventually(lambda: machines.progress(order).prepared == {"member-1"}, SLOW, "it waits for the others")
        with pytest.raises(RefusedError, match=r"runs: 1 of 2 members have the snapshot.*SUPERSEDE=1"):
            machines.restore(yes=True)
        for cloud in others:
            cloud.down = False  # type: ignore[attr-defined]
        assert machines.restore(yes=True, supersede=True) == 0
        machines.heal()
    assert machines.value("k") == "v"
    assert machines.record().generation == 3


def test_a_snapshot_that_no_majority_can_restore_ends_the_command_and_nothing_else(
    machines: Restorable, capsys: pytest.CaptureFixture[str]
) -> None:
    machines.put("k", "v")
    snapshot = machines.snapshot()
    content, _ = machines.store.get(SnapshotKeys(UID).database(snapshot.name))
    machines.damage(snapshot, content[:5000] + b"?" + content[5001:])
    assert machines.restore(yes=True) == 1
    assert "nothing was stopped, nothing is lost" in said(capsys)
    machines.heal()
    assert machines.value("k") == "v"
    assert machines.restore(dry_run=True) == 0, "an order that is void is in nobody's way"


def test_what_is_wrong_is_said_before_anything_is_ordered(
    machines: Restorable, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RefusedError, match="there is no snapshot to restore"):
        machines.restore(yes=True)
    snapshot = machines.snapshot()

    def refused(words: str, error: type[Exception] = RefusedError, **wanted: Any) -> None:
        with pytest.raises(error, match=words):
            machines.restore(**{"yes": True, **wanted})
        with pytest.raises(CloudError):
            machines.store.get(Keys(UID).restore)

    refused("there is no such snapshot; the newest are", snapshot="20200101T000000Z-1")
    refused("there is no terminal to ask on; YES=1 answers", yes=False)
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: snapshot.time - 3600.0)
        refused("a clock jumped")
    with monkeypatch.context() as patch:
        patch.setattr(machines.store, "put", raises(AccessDeniedError("403: not yours to write")))
        refused("403: not yours to write", AccessDeniedError)
        patch.setattr(machines.store, "put", raises(CloudError("507: the store is full")))
        refused("507: the store is full", CloudError)
        machines.store.down = True
        refused("does not answer", CloudError)
        machines.store.down = False
    metadata = SnapshotStore(machines.store, UID).metadata(snapshot.name)

    def rewritten(**changed: Any) -> None:
        content = metadata.model_copy(update=changed).encode()
        machines.store.put(SnapshotKeys(UID).metadata(snapshot.name), content)

    rewritten(etcd="3.10.0")
    refused(r"was written by etcd 3\.10\.0")
    rewritten(uid="u2")
    refused("is of cluster u2, not of u1")
    rewritten(bytes=metadata.bytes + 1)
    refused("bytes were written, the object store has")


def raises(error: Exception) -> Any:
    def put(*arguments: Any, **named: Any) -> str:
        raise error

    return put
