"""How a run goes about it, and what it says at its end."""

import dataclasses
import gc
import os
from collections.abc import Generator
from typing import Any, Final

import pytest

from tests.healing import table

# The SDKs of the clouds are a million objects that stay as long as the run: collecting among them after every 700 new
# ones, as Python does by itself, takes two thirds of the time in which a stack is built.
gc.set_threshold(100_000, 50, 100)

WORKERS_PER_CORE: Final = 2
"""Half of the tests wait, for etcd's elections and for other processes."""
MOST_WORKERS: Final = 8
"""One that has read the SDKs of all clouds takes half a gigabyte."""

CASE = "case of healing"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """What `--numprocesses auto` is."""
    return min(MOST_WORKERS, WORKERS_PER_CORE * len(os.sched_getaffinity(0)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test's cases go with its report, from whichever process it ran in."""
    report = yield
    report.user_properties += [(CASE, dataclasses.asdict(row)) for row in table.TABLE]
    table.TABLE.clear()
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The cases of etcd's healing and restores."""
    reports: list[Any] = [one for outcome in ("passed", "failed") for one in terminalreporter.stats.get(outcome, ())]
    rows = [table.Row(**row) for one in reports for name, row in one.user_properties if name == CASE]
    if rows:
        terminalreporter.section("healing")
        for line in table.lines(rows):
            terminalreporter.line(line)
