"""What a run says at its end."""

import dataclasses
from collections.abc import Generator
from typing import Any

import pytest

from tests.healing import table

CASE = "case of healing"


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
