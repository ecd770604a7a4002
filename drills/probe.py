"""The open-loop probe: what clients feel, asked at intended times, whatever became of the last answer.

A process of its own (`python -m drills.probe`), so that what the drill does never delays a request. The plan comes as
one JSON line on standard input; the probe runs until standard input ends, and so never outlives its drill.
"""

import asyncio
import contextlib
import itertools
import json
import os
import ssl
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, TextIO

from drills import kubeconfig
from drills.http2 import SharedPool
from drills.record import Connection, Operation, Outcome, Record
from drills.transport import Answer, ConnectError, Conversation, Message, Pool, request

NAMESPACE: Final = "kube-ha-drill"
REGISTERS: Final = 4
"""Few enough that clients meet in one register, enough that patches rarely conflict."""
LABEL: Final = "kube-ha.dev/drill"
"""Which part of a drill's objects one belongs to."""
JOURNALS: Final = 4
"""Parts of the journal: an API server deletes what has a label one after another, and so several parts at once."""

STAGGER_SECONDS: Final = 0.004
"""Between the first requests of two streams: those of one interval would otherwise come all at once."""

PRIORITY: Final = -15
"""Niceness, where that is allowed: a client on a machine of its own would not wait for the cluster's processes."""

TIMEOUTS: Final = {Connection.NEW: 1.0, Connection.KEPT: 1.0, Connection.PATIENT: 60.0}


@dataclass(frozen=True)
class Stream:
    """Requests of one kind, one every `interval` seconds."""

    via: str
    host: str
    port: int
    connection: Connection
    operation: Operation
    interval: float


@dataclass(frozen=True)
class Plan:
    """What the probe asks, of whom, and where it writes its records."""

    kubeconfig: str
    records: str
    streams: tuple[Stream, ...]


def streams(endpoint: tuple[str, int], masters: dict[str, tuple[str, int]]) -> tuple[Stream, ...]:
    """The streams of a drill.

    Through the endpoint every 50 ms, a write and a read in turn, for clients with new and with kept connections; what
    only explains (each master by itself, patient clients) less often. Twice as much takes the last quarter of two cores
    that hold a whole region, and the drill would measure a machine that is full (measured).
    """
    host, port = endpoint
    through = [
        Stream("endpoint", host, port, Connection.NEW, Operation.CREATE, 0.1),
        Stream("endpoint", host, port, Connection.NEW, Operation.READ, 0.1),
        Stream("endpoint", host, port, Connection.KEPT, Operation.WRITE, 0.1),
        Stream("endpoint", host, port, Connection.KEPT, Operation.READ, 0.1),
        Stream("endpoint", host, port, Connection.PATIENT, Operation.WRITE, 0.4),
        Stream("endpoint", host, port, Connection.PATIENT, Operation.READ, 0.4),
    ]
    at = [
        Stream(name, *address, Connection.NEW, operation, 1.0)
        for name, address in sorted(masters.items())
        for operation in (Operation.WRITE, Operation.READ)
    ]
    return (*through, *at)


def register(number: int) -> str:
    """Name of the ConfigMap that is a register."""
    return f"register-{number % REGISTERS}"


def journal(value: int) -> str:
    """Label of the part of the journal that an entry is in."""
    return f"journal-{value % JOURNALS}"


def entry(value: int) -> str:
    """Name of the ConfigMap that is an entry of the journal."""
    return f"entry-{value:08d}"


class Probe:
    """Runs streams and writes their records."""

    def __init__(self, access: kubeconfig.Access, output: TextIO) -> None:
        self._tls: ssl.SSLContext = access.tls()
        self._tls_of_patient = access.tls("h2", "http/1.1")
        self._headers = access.headers()
        self._output = output
        self._values: Iterator[int] = itertools.count(1)
        self._running: set[asyncio.Task[None]] = set()
        self.late = 0.0
        """Seconds by which a request was begun later than intended, at most: what the probe itself adds."""

    async def drive(self, stream: Stream, first: float) -> None:
        """Start one request of `stream` at each intended time from `first` on, for ever."""
        pool = self._pool(stream)
        for turn in itertools.count():
            intended = first + turn * stream.interval
            await asyncio.sleep(intended - time.monotonic())
            self.late = max(self.late, time.monotonic() - intended)
            task = asyncio.create_task(self._ask(stream, pool, turn, intended))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    def _pool(self, stream: Stream) -> Pool:
        if stream.connection is Connection.PATIENT:
            return SharedPool(stream.host, stream.port, self._tls_of_patient)
        return Pool(stream.host, stream.port, self._tls)

    async def end(self) -> None:
        """Give up what is open, and have it on record."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running)

    async def _ask(self, stream: Stream, pool: Pool, turn: int, intended: float) -> None:
        written = None if stream.operation is Operation.READ else next(self._values)
        key = entry(written) if stream.operation is Operation.CREATE and written else register(turn)
        message = self._message(stream, key, written)
        attempt = Attempt(pool, stream.connection)
        outcome, detail, answer = await attempt.run(message, TIMEOUTS[stream.connection])
        end = time.monotonic()
        value = written
        if answer is not None and stream.operation is Operation.READ:
            value = register_value(answer.json())
        self._output.write(
            Record(
                stream.via,
                stream.connection,
                stream.operation,
                key,
                value,
                intended,
                attempt.sent,
                end,
                outcome,
                detail,
            ).line()
        )

    def _message(self, stream: Stream, key: str, value: int | None) -> Message:
        path = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
        content = {"data": {"value": str(value)}}
        host = f"{stream.host}:{stream.port}"
        match stream.operation:
            case Operation.READ:
                return request("GET", f"{path}/{key}", host, self._headers)
            case Operation.WRITE:
                return request("PATCH", f"{path}/{key}", host, self._headers, content)
            case Operation.CREATE:
                metadata = {"name": key, "labels": {LABEL: journal(value or 0)}}
                return request("POST", path, host, self._headers, {"metadata": metadata} | content)


def register_value(configmap: dict[str, Any]) -> int | None:
    """The value in a register's ConfigMap; None before the first write."""
    value = configmap.get("data", {}).get("value")
    return None if value is None else int(value)


class Attempt:
    """One request on one connection; knows afterwards whether it was ever sent."""

    def __init__(self, pool: Pool, connection: Connection) -> None:
        self._pool = pool
        self._kept = connection is not Connection.NEW
        self._wire: Conversation | None = None
        self.sent: float | None = None

    async def run(self, message: Message, seconds: float) -> tuple[Outcome, str, Answer | None]:
        """Outcome, detail, and the answer if it was a good one."""
        try:
            async with asyncio.timeout(seconds):
                answer = await self._exchange(message)
        except TimeoutError:
            return self._end(Outcome.TIMED_OUT, f"no answer in {seconds:g} s" if self.sent else "no connection")
        except ConnectError as error:
            return self._end(Outcome.REFUSED, str(error))
        except (OSError, EOFError, ValueError) as error:
            return self._end(Outcome.UNKNOWN, f"{type(error).__name__}: {error}")
        except asyncio.CancelledError:
            # The drill is over; swallowed so that a write that may still happen is in the history.
            return self._end(Outcome.UNKNOWN, "open when the drill ended")
        if self._kept and answer.keep and self._wire:
            self._pool.give_back(self._wire)
        elif self._wire:
            self._wire.abort()
        if 200 <= answer.status < 300:
            return Outcome.ACKNOWLEDGED, str(answer.status), answer
        return (Outcome.REFUSED if answer.status < 500 else Outcome.UNKNOWN), str(answer.status), None

    async def _exchange(self, message: Message) -> Answer:
        self._wire = await (self._pool.take() if self._kept else self._pool.connect())
        self.sent = time.monotonic()
        return await self._wire.exchange(message)

    def _end(self, outcome: Outcome, detail: str) -> tuple[Outcome, str, None]:
        if self._wire:
            self._wire.abort()
        return outcome, detail, None


async def run(plan: Plan) -> Probe:
    """Probe until standard input ends; what is still open then is recorded as unknown. The probe that did it."""
    with Path(plan.records).open("w", encoding="utf-8", buffering=1) as output:
        probe = Probe(kubeconfig.load(Path(plan.kubeconfig)), output)
        start = time.monotonic() + 0.1
        async with asyncio.TaskGroup() as group:
            drives = [
                group.create_task(
                    probe.drive(stream, start + stream.interval * (number % 2) / 2 + STAGGER_SECONDS * number)
                )
                for number, stream in enumerate(plan.streams)
            ]
            await asyncio.to_thread(sys.stdin.read)
            for drive in drives:
                drive.cancel()
        await probe.end()
    return probe


def encode(plan: Plan) -> str:
    """A plan as the one line that the probe reads."""
    return json.dumps(asdict(plan)) + "\n"


def decode(line: str) -> Plan:
    """The plan in a line of `encode`."""
    document = json.loads(line)
    made = (
        Stream(
            **(stream | {"connection": Connection(stream["connection"]), "operation": Operation(stream["operation"])})
        )
        for stream in document["streams"]
    )
    return Plan(document["kubeconfig"], document["records"], tuple(made))


def main() -> None:
    """Read the plan, probe, and say on standard output what that took, without the start of the interpreter."""
    plan = decode(sys.stdin.readline())
    begin, started = time.monotonic(), time.process_time()
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)
        # The probe is a session of its own, and among sessions the kernel weighs by this instead (sched(7)).
        Path("/proc/self/autogroup").write_text(str(PRIORITY), encoding="ascii")
    probe = asyncio.run(run(plan))
    seconds = time.monotonic() - begin
    print(json.dumps({"cpu": (time.process_time() - started) / seconds, "late_seconds": probe.late}), flush=True)


if __name__ == "__main__":
    main()
