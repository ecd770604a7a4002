"""The critical stack, up for all tests of this folder; each leaves it whole."""

from collections.abc import Iterator

import pytest

from tests.machines import clone
from tests.machines.conftest import BringUp
from tests.machines.stack import Stack


@pytest.fixture(scope="package")
def running(bring_up: BringUp) -> Iterator[Stack]:
    """The stack."""
    with bring_up(clone.CRITICAL) as stack:
        yield stack


@pytest.fixture
def stack(running: Stack) -> Iterator[Stack]:
    """The stack, whole before the test and after it."""
    running.wait_whole()
    yield running
    running.injector.heal()
    running.wait_whole()
