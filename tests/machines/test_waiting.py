"""What tests on machines wait with; without machines."""

from collections.abc import Iterator

import pytest

from tests.machines.stack import eventually


def test_a_look_that_fails_is_one_at_which_it_does_not_hold() -> None:
    answers: Iterator[bool | Exception] = iter([OSError("no leader"), False, True])

    def holds() -> bool:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    eventually(holds, str, 30)
    assert list(answers) == []


def test_what_never_holds_fails_with_what_is_so_instead_and_the_last_look() -> None:
    def holds() -> bool:
        raise OSError("no leader")

    with pytest.raises(AssertionError, match=r"not within 0 s: an election; the last look: OSError\('no leader'\)"):
        eventually(holds, lambda: "an election", 0)
