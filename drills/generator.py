"""The load generator: sends the requests of a load declaration at its rate, and writes down what became of them.

A process of its own (`python -m drills.generator`), like the probe; it runs until standard input ends.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final, TextIO

from drills import kubeconfig
from drills.load import Declaration, Request, requests
from drills.transport import ConnectError, Pool, request

TIMEOUT: Final = 5.0


def due(elapsed: float, sent: int, qps: int, burst: int) -> tuple[int, int]:
    """How many requests to send now, and how many are given up because they are later than a burst makes good."""
    behind = int(elapsed * qps) - sent
    return min(behind, burst), max(0, behind - burst)


def achieved(lines: Iterable[str], until: float) -> float | None:
    """Share of the intended requests that were acknowledged, of those that ended before `until`; None: there are none.

    What was given up counts as intended.
    """
    intended = acknowledged = 0
    for line in lines:
        at, count, good = json.loads(line)
        if at < until:
            intended += count
            acknowledged += good
    return acknowledged / intended if intended else None


class Generator:
    """Sends a load's requests over kept connections."""

    def __init__(self, access: kubeconfig.Access, declaration: Declaration, output: TextIO) -> None:
        self._access, self._declaration, self._output = access, declaration, output
        self._pool = Pool(access.host, access.port, access.tls())
        self._open: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Send for ever."""
        begin, sent = time.monotonic(), 0
        stream = requests(self._declaration)
        while True:
            now, late = due(time.monotonic() - begin, sent, self._declaration.qps, self._declaration.burst)
            if late:
                self._write(late, 0)
            for _ in range(now):
                task = asyncio.create_task(self._send(next(stream)))
                self._open.add(task)
                task.add_done_callback(self._open.discard)
            sent += now + late
            await asyncio.sleep(1 / self._declaration.qps)

    async def _send(self, one: Request) -> None:
        message = request(one.method, one.path, self._access.host, self._access.headers(), one.body)
        wire = None
        try:
            async with asyncio.timeout(TIMEOUT):
                wire = await self._pool.take()
                answer = await wire.exchange(message)
        except (OSError, EOFError, ConnectError, TimeoutError):
            if wire:
                wire.abort()
            self._write(1, 0)
            return
        if answer.keep:
            self._pool.give_back(wire)
        # A request that a fault made fail is not repeated, so its object may be there already, or be gone.
        self._write(1, int(answer.status < 300 or answer.status in {404, 409}))

    def _write(self, count: int, good: int) -> None:
        self._output.write(json.dumps([time.monotonic(), count, good]) + "\n")


async def run(config: Path, declaration: Declaration, output: Path) -> None:
    """Generate load until standard input ends."""
    with output.open("w", encoding="utf-8", buffering=1) as lines:
        work = asyncio.create_task(Generator(kubeconfig.load(config), declaration, lines).run())
        await asyncio.to_thread(sys.stdin.read)
        work.cancel()


def main() -> None:
    """Read what to do as one JSON line: kubeconfig, declaration, output."""
    plan = json.loads(sys.stdin.readline())
    declaration = Declaration.model_validate(plan["declaration"])
    asyncio.run(run(Path(plan["kubeconfig"]), declaration, Path(plan["output"])))


if __name__ == "__main__":
    main()
