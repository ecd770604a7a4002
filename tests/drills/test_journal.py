"""Nothing that was acknowledged may be missing in any member, and all members hold the same."""

from hypothesis import given
from hypothesis import strategies as st

from drills.journal import acknowledged, compare
from drills.record import Connection, Operation, Outcome, Record

NAMES = st.frozensets(st.integers(0, 30).map(lambda number: f"entry-{number:08d}"))


def record(key: str, outcome: Outcome, operation: Operation = Operation.CREATE) -> Record:
    return Record("endpoint", Connection.NEW, operation, key, 1, 0.0, 0.0, 1.0, outcome, "")


def test_only_acknowledged_creates_are_owed() -> None:
    records = [
        record("entry-1", Outcome.ACKNOWLEDGED),
        record("entry-2", Outcome.UNKNOWN),
        record("entry-3", Outcome.TIMED_OUT),
        record("register-0", Outcome.ACKNOWLEDGED, Operation.WRITE),
    ]
    assert acknowledged(records) == {"entry-1"}


@given(NAMES, st.dictionaries(st.sampled_from(["a", "b", "c"]), NAMES))
def test_lost_is_what_is_owed_and_not_held(owed: frozenset[str], held: dict[str, frozenset[str]]) -> None:
    found = compare(owed, held, {})
    for member, names in held.items():
        assert set(found.lost.get(member, ())) | (owed & names) == owed
        assert not set(found.lost.get(member, ())) & names
    assert found.whole == all(owed <= names for names in held.values())


def test_members_that_differ_are_not_whole() -> None:
    assert not compare(frozenset(), {}, {"a": 1, "b": 2}).whole
    assert compare(frozenset(), {}, {"a": 1, "b": 1}).whole
