"""Buckets keep what was acknowledged, hold conditions, and refuse to lose what is locked."""

import shutil
import tempfile
import threading
import time
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from providers.local.objects import Bucket, Condition, PreconditionError, RetainedError

KEYS = st.sampled_from(["a", "a/b", "a.b", "..", "ä/%", "locks/x"])
CONTENTS = st.binary(max_size=40)


def read(bucket: Bucket, key: str) -> bytes:
    _, file = bucket.open(key)
    with file:
        return file.read()


class BucketMachine(RuleBasedStateMachine):
    """A bucket beside a dictionary, opened anew at any time as after a crash."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="kha-bucket-"))
        self.bucket = Bucket(self.folder)
        self.model: dict[str, bytes] = {}

    @rule(key=KEYS, content=CONTENTS)
    def put(self, key: str, content: bytes) -> None:
        self.bucket.put(key, iter([content]))
        self.model[key] = content

    @rule(key=KEYS, content=CONTENTS)
    def put_if_absent(self, key: str, content: bytes) -> None:
        try:
            self.bucket.put(key, iter([content]), Condition(absent=True))
        except PreconditionError:
            assert key in self.model
        else:
            assert key not in self.model
            self.model[key] = content

    @rule(key=KEYS, content=CONTENTS, seen=CONTENTS)
    def put_if_match(self, key: str, content: bytes, seen: bytes) -> None:
        other = Bucket(self.folder / "scratch")
        etag = other.put("x", iter([seen])).etag
        shutil.rmtree(self.folder / "scratch")
        try:
            self.bucket.put(key, iter([content]), Condition(etag=etag))
        except PreconditionError:
            assert self.model.get(key) != seen
        else:
            assert self.model.get(key) == seen
            self.model[key] = content

    @rule(key=KEYS)
    def delete(self, key: str) -> None:
        self.bucket.delete(key)
        self.model.pop(key, None)

    @rule()
    def crash(self) -> None:
        (self.folder / "contents" / "half-written").write_bytes(b"x")
        self.bucket = Bucket(self.folder)

    @invariant()
    def holds_what_was_acknowledged(self) -> None:
        assert [entry.key for entry in self.bucket.list()] == sorted(self.model)
        assert {key: read(self.bucket, key) for key in self.model} == self.model

    @invariant()
    def keeps_no_content_that_nothing_names(self) -> None:
        assert len(list((self.folder / "contents").iterdir())) == len(self.model)

    def teardown(self) -> None:
        shutil.rmtree(self.folder)


TestBucket = BucketMachine.TestCase
TestBucket.settings = settings(max_examples=30, stateful_step_count=15, deadline=None)


def test_of_many_creators_exactly_one_wins(tmp_path: Path) -> None:
    bucket, winners, barrier = Bucket(tmp_path), [], threading.Barrier(16)

    def create(number: int) -> None:
        barrier.wait()
        try:
            bucket.put("record", iter([str(number).encode()]), Condition(absent=True))
        except PreconditionError:
            return
        winners.append(number)

    threads = [threading.Thread(target=create, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(winners) == 1
    assert read(bucket, "record") == str(winners[0]).encode()


def test_a_locked_object_is_neither_deleted_nor_overwritten(tmp_path: Path) -> None:
    bucket = Bucket(tmp_path)
    bucket.put("snapshot", iter([b"x"]), retain_until=time.time() + 60)
    for attempt in (lambda: bucket.delete("snapshot"), lambda: bucket.put("snapshot", iter([b"y"]))):
        with pytest.raises(RetainedError, match="locked until"):
            attempt()
    assert read(bucket, "snapshot") == b"x"
    assert read(Bucket(tmp_path), "snapshot") == b"x"


def test_a_lock_ends(tmp_path: Path) -> None:
    bucket = Bucket(tmp_path)
    bucket.put("snapshot", iter([b"x"]), retain_until=time.time() - 1)
    bucket.delete("snapshot")
    assert bucket.list() == []


def test_a_write_that_breaks_off_leaves_the_old_object(tmp_path: Path) -> None:
    bucket = Bucket(tmp_path)
    bucket.put("a", iter([b"old"]))

    def broken() -> object:
        yield b"ne"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        bucket.put("a", broken())  # type: ignore[arg-type]
    assert read(bucket, "a") == b"old"
    assert len(list((tmp_path / "contents").iterdir())) == 1


def test_a_reader_keeps_what_it_opened(tmp_path: Path) -> None:
    bucket = Bucket(tmp_path)
    bucket.put("a", iter([b"old"]))
    _, file = bucket.open("a")
    bucket.put("a", iter([b"new"]))
    with file:
        assert file.read() == b"old"


def test_a_file_is_in_the_bucket_without_a_second_copy(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"x" * 100)
    bucket = Bucket(tmp_path / "bucket")
    bucket.put_file("bin/etcd", source)
    assert read(bucket, "bin/etcd") == b"x" * 100
    assert source.stat().st_nlink == 2
    bucket.delete("bin/etcd")
    assert source.exists()


def test_an_object_whose_files_are_gone_can_still_be_deleted(tmp_path: Path) -> None:
    bucket = Bucket(tmp_path)
    bucket.put("a", iter([b"x"]))
    for file in [*(tmp_path / "entries").iterdir(), *(tmp_path / "contents").iterdir()]:
        file.unlink()
    bucket.delete("a")
    assert bucket.list() == []
