"""What agents said on their machines' consoles."""

import re
from itertools import groupby
from typing import Final

from tests.machines.stack import Stack, eventually

ROW: Final = re.compile(r"kube-ha etcd: membership row (\d)")
DECISION_SECONDS: Final = 240.0
"""Longer than the cluster's lock outlives a holder that died (three minutes)."""


def incarnations(stack: Stack, machine: str) -> list[str]:
    """What each incarnation printed, the last one last; a console that grew too large has lost its beginning."""
    return re.split(rf"--- {machine}, incarnation \d+.*", stack.console(machine))


def rows(printed: str) -> list[int]:
    """The rows that the agent chose; each line comes from the agent and from the journal."""
    return [int(row) for row, _ in groupby(ROW.findall(printed))]


def chosen(stack: Stack, machine: str) -> list[int]:
    """The rows that the machine which runs now chose."""
    return rows(incarnations(stack, machine)[-1])


def await_row(stack: Stack, machine: str, row: int) -> None:
    """Wait until the machine that runs now has chosen a row."""
    eventually(lambda: row in chosen(stack, machine), lambda: stack.console(machine)[-3000:], DECISION_SECONDS)
