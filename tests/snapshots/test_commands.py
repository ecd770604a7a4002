"""What `make snapshot`, `make snapshots` and `make prove` ask and show."""

import re
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from cli import snapshots as commands
from cli.object_store import Memory
from cli.refused import RefusedError
from cli.snapshots import asked, existing, show, span, verdict
from components.node.agent.cloud import Instance
from components.node.agent.snapshot_store import SnapshotStore
from components.node.snapshots import Metadata, Proof, Reason, Request, RequestKind, Response, Snapshot, SnapshotKeys
from providers.local.objects import Bucket
from tests.snapshots.bucket_cloud import BucketCloud

KEYS = SnapshotKeys("u1")


@pytest.fixture
def memory(tmp_path: Path) -> Any:
    instance = Instance("i", "g", "m", "z", "a", "t", "t")
    return Memory("u1", BucketCloud(instance, Bucket(tmp_path), {}))  # type: ignore[arg-type]


def store(memory: Memory, age: int, *, locked: bool = False, proof: bool | None = None) -> str:
    now = int(time.time())
    one = Snapshot(now - age, 7)
    metadata = Metadata(
        uid="u1", generation=1, time=one.time, revision=7, keys=1, bytes=3, sha256="s", etcd="3.7.0",
        kubernetes="v1", member="m", reason=Reason.SCHEDULE, retain_until=now + 7200 if locked else 0,
    )  # fmt: skip
    memory.store.put(KEYS.database(one.name), b"x" * 2 * 1024**2)
    memory.store.put(KEYS.metadata(one.name), metadata.encode())
    if proof is not None:
        found = Proof(time=now - 60, machine="m", proven=proof, message="a page is damaged", seconds=1)
        memory.store.put(KEYS.proof(one.name), found.encode())
    return one.name


def test_the_table_says_what_there_is_and_what_was_proven(memory: Memory, capsys: pytest.CaptureFixture[str]) -> None:
    names = [store(memory, 7200, proof=True), store(memory, 3600, locked=True, proof=False), store(memory, 5)]
    show(memory)
    _, *lines = capsys.readouterr().out.strip().splitlines()
    assert [line.split()[0] for line in lines] == names
    assert "2 h" in lines[0]
    assert "2.0 MiB" in lines[0]
    assert re.search(r"yes, \d+ (s|min) ago", lines[0])
    assert "NOT GOOD: a page is damaged" in lines[1]
    assert "more" in lines[1]
    assert "not yet" in lines[2]


def test_broken_metadata_is_shown_and_does_not_hide_the_others(
    memory: Memory, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = store(memory, 7200)
    memory.store.put(KEYS.metadata(broken), b"{}")
    fine = store(memory, 5)
    show(memory)
    out = capsys.readouterr().out
    assert "broken:" in out
    assert fine in out


def answering(memory: Memory, kind: RequestKind, **answer: str) -> threading.Thread:
    def serve() -> None:
        while not (found := memory.store.list(KEYS.request(kind))):
            time.sleep(0.01)
        request = Request.model_validate_json(memory.store.get(found[0].key)[0])
        memory.store.put(KEYS.response(kind), Response(id=request.id, **answer).encode())
        memory.store.delete(KEYS.request(kind))

    thread = threading.Thread(target=serve)
    thread.start()
    return thread


def test_the_answer_to_ones_own_request_is_awaited(memory: Memory) -> None:
    memory.store.put(KEYS.response(RequestKind.SNAPSHOT), Response(id="old", snapshot="old").encode())
    thread = answering(memory, RequestKind.SNAPSHOT, snapshot="new")
    assert asked(memory, RequestKind.SNAPSHOT) == "new"
    thread.join()


def test_why_it_could_not_be_done_is_said(memory: Memory) -> None:
    thread = answering(memory, RequestKind.SNAPSHOT, error="the store is full")
    with pytest.raises(RefusedError, match="the store is full"):
        asked(memory, RequestKind.SNAPSHOT)
    thread.join()


def test_whoever_asks_second_waits_for_the_first_one_s_answer(memory: Memory) -> None:
    memory.store.put(KEYS.request(RequestKind.SNAPSHOT), Request(id="first").encode())
    memory.store.put(KEYS.response(RequestKind.SNAPSHOT), Response(id="first", snapshot="taken").encode())
    assert asked(memory, RequestKind.SNAPSHOT) == "taken"


def test_a_drill_of_another_snapshot_is_not_taken_for_ones_own(memory: Memory) -> None:
    memory.store.put(KEYS.request(RequestKind.DRILL), Request(id="first", snapshot="a").encode())
    with pytest.raises(RefusedError, match="a drill of a is asked for already"):
        asked(memory, RequestKind.DRILL, "b")


def test_no_answer_is_said_with_what_happens_to_the_request(memory: Memory) -> None:
    with pytest.raises(RefusedError, match="the request stays"):
        asked(memory, RequestKind.SNAPSHOT, sleep=lambda seconds: None)


def test_a_name_that_is_none_is_refused_with_those_that_are(memory: Memory) -> None:
    name = store(memory, 5)
    with pytest.raises(RefusedError, match=f"no such snapshot; the newest are {name}"):
        existing(SnapshotStore(memory.store, "u1"), "20200101T000000Z-1")


def test_a_snapshot_that_is_not_good_fails_the_command(memory: Memory) -> None:
    name = store(memory, 5, proof=False)
    thread = answering(memory, RequestKind.DRILL, snapshot=name)
    assert commands.prove(memory, name) == 1
    thread.join()


@pytest.mark.parametrize(
    ("seconds", "words"), [(-3, "0 s"), (59.9, "60 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (172800, "2 d")]
)
def test_spans_are_for_people(seconds: float, words: str) -> None:
    assert span(seconds) == words


def test_without_a_drill_nothing_is_called_proven() -> None:
    assert verdict(None, 0) == "not yet"
