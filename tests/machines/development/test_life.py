"""A stack comes and goes: nothing stays behind, and an up that was interrupted is taken up again."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from providers.local.client import Client
from tests.machines import clone as clones
from tests.machines import leftovers
from tests.machines.conftest import ROOT
from tests.machines.stack import Stack, eventually

pytestmark = [pytest.mark.machines, pytest.mark.timeout(900)]


@pytest.fixture
def stack(clone: Path) -> Iterator[Stack]:
    """A stack that is not up, and is not afterwards."""
    stack = Stack(clones.DEVELOPMENT, clone)
    yield stack
    stack.down()
    assert leftovers.settled(stack, ROOT) == []


def has(stack: Stack, kind: str) -> bool:
    """Whether something of a kind exists, or is being made."""
    client = Client()
    return client.has_anything and any(
        found["kind"] == kind and found["owner"]["stack"] == stack.name for found in client.resources()
    )


def test_down_leaves_nothing_behind_and_says_what_data_it_deletes_and_up_works_again(stack: Stack) -> None:
    for _ in range(2):
        stack.up()
        stack.wait_whole()
        said = stack.down().output
        assert "for good, its data" in said
        assert "Volume master-1 (protected)" in said
        assert leftovers.settled(stack, ROOT) == []


@pytest.mark.parametrize("moment", ["Network", "MachineGroup"])
def test_an_interrupted_up_is_taken_up_again(stack: Stack, moment: str) -> None:
    begun = stack.start("make", "--no-print-directory", "up", f"STACK={stack.name}")
    eventually(lambda: has(stack, moment), begun.poll, 300)
    # As Ctrl-C on a terminal does: to everybody in the foreground.
    os.killpg(begun.pid, signal.SIGINT)
    said, _ = begun.communicate(timeout=120)
    assert begun.returncode != 0, said
    assert "Traceback" not in said
    again = stack.up()
    assert "pending" not in again.output
    stack.wait_whole()


def test_what_is_killed_while_it_goes_up_is_taken_up_again(stack: Stack) -> None:
    begun = stack.start("make", "--no-print-directory", "up", f"STACK={stack.name}")
    eventually(lambda: has(stack, "MachineGroup"), begun.poll, 300)
    os.killpg(begun.pid, signal.SIGKILL)
    begun.communicate(timeout=60)
    assert "pending" not in stack.up().output
    stack.wait_whole()
