"""What a run says at its end."""

import pytest

from tests.healing import table


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The cases of etcd's healing and restores."""
    if table.TABLE:
        terminalreporter.section("healing")
        for line in table.lines():
            terminalreporter.line(line)
