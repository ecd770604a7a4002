"""One line of the table."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.healing.machines import Machines
from tests.healing.table import TABLE, Row
from tests.healing.writer import Writer


@contextmanager
def case(machines: Machines, start: str, action: str, end: str) -> Iterator[Writer]:
    """Under load, from the action to the end state; no acknowledged write may be lost."""
    writer = Writer(machines)
    begun = time.monotonic()
    try:
        yield writer
        seconds = time.monotonic() - begun
    finally:
        writer.stop()
    lost = writer.lost()
    TABLE.append(Row(start, action, end, seconds, len(writer.acknowledged), len(lost)))
    assert not lost, f"acknowledged writes are lost: {sorted(lost)}"
