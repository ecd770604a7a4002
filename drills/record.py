"""What the probe writes down: one record per request, on disk as it ends."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Outcome(StrEnum):
    """How a request ended, as its client knows it."""

    ACKNOWLEDGED = "acknowledged"
    """A 2xx answer: a write is durable from here on."""
    REFUSED = "refused"
    """Never sent (no connection), or answered 4xx: a write did not happen."""
    TIMED_OUT = "timed out"
    """No answer in the client's time. A write that was sent may have happened, or may still."""
    UNKNOWN = "unknown"
    """The connection broke after the request was sent, or the answer was 5xx. A write may have happened."""


class Operation(StrEnum):
    """What a request does."""

    CREATE = "create"
    """A new object of its own: its key must be in every member afterwards (the journal)."""
    WRITE = "write"
    """Sets a register to a value that nobody else ever writes."""
    READ = "read"
    """Reads a register."""


class Connection(StrEnum):
    """The kind of client."""

    NEW = "new"
    """TCP and TLS anew for every request, 1 s for all of it."""
    KEPT = "kept"
    """Connections are reused; 1 s a request; a connection that timed out is closed."""
    PATIENT = "patient"
    """One HTTP/2 connection is shared and a request has 60 s: a client of client-go with its defaults."""


@dataclass(frozen=True, slots=True)
class Record:
    """One request. Times are seconds of the machine's monotonic clock, equal in all processes."""

    via: str
    """`endpoint`, or the master's name that was asked directly."""
    connection: Connection
    operation: Operation
    key: str
    value: int | None
    """Written, or read; None for a read without an answer or of a register never written."""
    intended: float
    """When the open-loop schedule wanted it sent: latencies count from here."""
    sent: float | None
    """When the request was handed to an established connection; None: it never was."""
    end: float
    outcome: Outcome
    detail: str
    """HTTP status or error."""

    @property
    def stream(self) -> str:
        """Name of the stream: who was asked, on which kind of connection, for what."""
        return f"{self.via}/{self.connection}/{self.operation}"

    @property
    def acknowledged(self) -> bool:
        """Whether the client got what it asked for."""
        return self.outcome is Outcome.ACKNOWLEDGED

    def line(self) -> str:
        """The record as one line of a records file."""
        fields = [getattr(self, name) for name in self.__slots__]
        return json.dumps(fields, separators=(",", ":")) + "\n"


def parse(line: str) -> Record:
    """The record in one line of a records file.

    Raises:
        ValueError: the line is not a record.
    """
    via, connection, operation, key, value, intended, sent, end, outcome, detail = json.loads(line)
    return Record(
        via, Connection(connection), Operation(operation), key, value, intended, sent, end, Outcome(outcome), detail
    )


def read(path: Path) -> Iterator[Record]:
    """The records in a file, in the order in which the requests ended; a torn last line is left out."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.endswith("\n"):
                yield parse(line)
