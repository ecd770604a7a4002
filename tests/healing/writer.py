"""A client that writes all the time."""

import itertools
import threading
import time

from components.node.agent.member import cluster
from components.node.etcd import client_url
from tests.healing.kv import Acknowledged, Kv
from tests.healing.machines import Machines

NUMBERS = itertools.count()
"""Of the writers: clusters outlive tests, and no writer's keys are another's."""


class Writer:
    """Writes numbered keys to whichever member takes them; knows which writes were acknowledged."""

    def __init__(self, machines: Machines, pause_seconds: float = 0.05) -> None:
        self.machines, self.prefix = machines, f"writer-{next(NUMBERS)}-"
        self.acknowledged: dict[int, Acknowledged] = {}
        self.times: list[float] = []
        """When each of them was, by the monotonic clock."""
        self._pause = pause_seconds
        self._clients = [Kv(machines.machines[member.name], member.address) for member in machines.members]
        self._ended = False
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def _write(self) -> None:
        number = 0
        while not self._ended:
            for client in self._clients:
                # A number of its own for each try: one that failed may still be written, and at any revision.
                number += 1
                if (said := client.acknowledged(f"{self.prefix}{number}", b"x")) is not None:
                    self.acknowledged[number] = said
                    self.times.append(time.monotonic())
                    break
            time.sleep(self._pause)

    def stop(self) -> None:
        self._ended = True
        self._thread.join(30)
        for client in self._clients:
            client.close()

    def longest_gap(self) -> float:
        """The longest time between two acknowledged writes, seconds."""
        return max((after - before for before, after in itertools.pairwise(self.times)), default=0.0)

    def lost(self) -> set[int]:
        """Acknowledged writes that are not there any more."""
        context = next(self.machines.machines[name] for name in self.machines.names if self.machines.serving(name))
        answer = cluster(context).etcdctl._run(
            (client_url(context.machine.address),), "get", "--prefix", self.prefix, "--keys-only", timeout=10
        )
        return self.acknowledged.keys() - {int(key.removeprefix(self.prefix)) for key in answer.split()}
