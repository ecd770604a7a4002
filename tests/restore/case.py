"""One line of the table of healing whose action is a restore, or should have been one."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from components.node.snapshots import Snapshot
from tests.agent.processes import eventually
from tests.healing.machines import SLOW
from tests.healing.table import TABLE, Row
from tests.healing.writer import Writer
from tests.restore.machines import Restorable

SOME = 5
"""Writes before the snapshot, and after it."""


@contextmanager
def restoring(machines: Restorable, start: str, action: str, end: str) -> Iterator[Snapshot]:
    """A snapshot is taken under load; from then on to the end state. Where the cluster is another one afterwards, what
    was acknowledged between the snapshot and that is lost, and nothing else.
    """
    writer, old = Writer(machines), machines.record().cluster_id
    try:
        eventually(lambda: len(writer.acknowledged) >= SOME, SLOW, "writes before the snapshot")
        snapshot = machines.snapshot()
        before = len(writer.acknowledged)
        eventually(lambda: len(writer.acknowledged) >= before + SOME, SLOW, "writes after the snapshot")
        begun = time.monotonic()
        yield snapshot
        seconds = time.monotonic() - begun
        eventually(lambda: bool(writer.times) and writer.times[-1] > begun + seconds, SLOW, "writes at the end")
    finally:
        writer.stop()
    lost, now = writer.lost(), machines.record().cluster_id
    doomed = {
        number
        for number, write in writer.acknowledged.items()
        if write.cluster_id != now and not (write.cluster_id == old and write.revision <= snapshot.revision)
    }
    TABLE.append(Row(start, action, end, seconds, len(writer.acknowledged), len(lost),
                     None if now == old else len(doomed)))  # fmt: skip
    assert not lost - doomed, f"acknowledged writes are lost: {sorted(lost - doomed)}"
    assert not doomed - lost, f"writes of another history are there: {sorted(doomed - lost)}"
