"""What was acknowledged is read back from each member itself, and members are compared at one revision."""

import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from drills import readback
from drills.fault import Machine
from drills.injector import InjectionError
from drills.readback import PREFIX, read_back
from drills.record import Connection, Operation, Outcome, Record

MEMBERS = tuple(Machine(name, "member", "zone-a", f"10.0.0.{number}", member=True) for number, name in enumerate("abc"))
CLUSTER: Any = SimpleNamespace(machines=(*MEMBERS, Machine("m", "master", "zone-a", "10.0.0.9", member=False)))


def written(number: int, outcome: Outcome = Outcome.ACKNOWLEDGED) -> Record:
    return Record("endpoint", Connection.NEW, Operation.CREATE, f"entry-{number}", number, 0, 0, 1, outcome, "")


class Members:
    """Answers as etcdctl does on each member."""

    inside = True

    def __init__(self, held: Mapping[str, list[int]], hashes: Mapping[str, list[tuple[int, int]]]) -> None:
        self.held = held
        self.hashes = {name: list(answers) for name, answers in hashes.items()}
        self.asked: list[str] = []

    def run(self, machine: str, *command: str, timeout: float = 20) -> str:
        if "status" in command:
            return json.dumps([{"Status": {"header": {"revision": {"a": 5, "b": 9, "c": 7}[machine]}}}])
        if "hashkv" in command:
            self.asked += [word for word in command if word.startswith("--rev")]
            found, compacted = self.hashes[machine].pop(0) if len(self.hashes[machine]) > 1 else self.hashes[machine][0]
            if not found:
                raise InjectionError("mvcc: required revision is a future revision")
            return json.dumps([{"HashKV": {"hash": found, "compact_revision": compacted}}])
        assert "--consistency=s" in command
        return "\n\n".join(PREFIX + str(number) for number in self.held[machine])


SAME = {name: [(7, 1)] for name in "abc"}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drills.readback.time.sleep", lambda _: None)


def found(held: Mapping[str, list[int]], hashes: Mapping[str, list[tuple[int, int]]], *records: Record) -> Any:
    members: Any = Members(held, hashes)
    return read_back(records, CLUSTER, members), members


def test_an_entry_that_one_member_lacks_is_lost_there_and_what_was_never_acknowledged_is_not() -> None:
    held = {"a": [1, 2], "b": [1], "c": [1, 2]}
    durability, _ = found(
        held, SAME, written(1), written(2), written(3, Outcome.UNKNOWN), written(4, Outcome.TIMED_OUT)
    )
    assert durability.acknowledged == 2
    assert durability.lost == {"b": ("entry-2",)}


def test_members_are_compared_at_the_newest_revision_of_all() -> None:
    durability, members = found({name: [1] for name in "abc"}, SAME | {"c": [(8, 1)]}, written(1))
    assert durability.hashes == {"a": 7, "b": 7, "c": 8}
    assert not durability.whole
    assert set(members.asked) == {"--rev=9"}


def test_a_member_that_lags_or_has_compacted_less_far_is_waited_for() -> None:
    late = SAME | {"a": [(0, 1), (7, 1)], "b": [(3, 0), (3, 0), (7, 1)]}
    durability, _ = found({name: [] for name in "abc"}, late)
    assert durability.whole


def test_a_member_that_never_catches_up_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readback, "CATCH_UP_SECONDS", 0.05)
    with pytest.raises(InjectionError, match="future revision"):
        found({name: [] for name in "abc"}, SAME | {"a": [(0, 1)]})
