"""Stacks of a clone, on a local cloud of its own; one is up at a time, since two do not fit on two cores."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import pytest

from tests.machines import account, leftovers
from tests.machines import clone as clones
from tests.machines.clone import Declared
from tests.machines.stack import Stack

ROOT = Path("/var/lib/kube-ha/acceptance")
"""Not below /tmp: it should be on one file system with the toolchain's cache, as a user's is."""

BringUp = Callable[[Declared], AbstractContextManager[Stack]]

CLONE = pytest.StashKey[Path]()
"""Where the clone is, for as long as there is one."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What fails says how the machines were."""
    report = yield
    if report.failed and (clone := item.config.stash.get(CLONE, None)) is not None:
        # The test's own time may end meanwhile: it has failed already.
        with suppress(Exception, pytest.fail.Exception):
            report.sections.append(("machines", account.collected(clone)))
    return report


@pytest.fixture(scope="session")
def clone(pytestconfig: pytest.Config) -> Iterator[Path]:
    """The clone, with a local cloud that is empty now and at the end."""
    if os.geteuid():
        pytest.skip("boots machines: needs root")
    os.environ["KUBE_HA_LOCAL_ROOT"] = str(ROOT)
    with tempfile.TemporaryDirectory(prefix="kha-clone-") as folder:
        path = Path(folder) / "kube-ha"
        clones.make(path)
        _purge()
        pytestconfig.stash[CLONE] = path
        try:
            yield path
        finally:
            del pytestconfig.stash[CLONE]
            _purge()
            del os.environ["KUBE_HA_LOCAL_ROOT"]


def _purge() -> None:
    """What an earlier run left when it was killed; nothing otherwise."""
    for declared in clones.ALL:
        purge = [sys.executable, "-m", "providers.local", "purge", "--stack", declared.name]
        subprocess.run(purge, cwd=clones.REPOSITORY, capture_output=True, check=False)


@pytest.fixture(scope="session")
def bring_up(clone: Path) -> BringUp:
    """Brings a stack up as anybody does, and down again, after which nothing of it may be on the host."""

    @contextmanager
    def brought_up(declared: Declared) -> Iterator[Stack]:
        stack = Stack(declared, clone)
        stack.up()
        try:
            yield stack
        finally:
            stack.down()
        assert leftovers.settled(stack, ROOT) == []

    return brought_up
