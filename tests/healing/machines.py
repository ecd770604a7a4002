"""Machines whose agents look after real etcd processes by themselves."""

import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from components.node.agent.cluster import SERVING, answers
from components.node.agent.etcdctl import EndpointStatus, EtcdctlError
from components.node.agent.folders import Folders
from components.node.agent.member import cluster
from components.node.agent.step import Context
from components.node.etcd import UNIT, client_url, metrics_url
from components.node.machine import Peer
from tests.agent.conftest import World
from tests.agent.processes import eventually

TICK_SECONDS = 0.3
SLOW = 90.0
"""Seconds that a heal may take on a busy machine; the table says how long it took."""


@dataclass
class Agent:
    """The agent's loop on one machine, as far as etcd goes."""

    context: Context
    tick: Callable[[], object]
    run: Callable[[], object]
    said: str = ""
    dead: bool = False
    done: bool = False
    thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self.loop, daemon=True)
        self.thread.start()

    def loop(self) -> None:
        while not self.dead:
            try:
                if self.done:
                    self.said = str(self.tick() or "")
                else:
                    self.run()
                    self.done, self.said = True, "started"
            except Exception as error:
                self.said = str(error)
            time.sleep(TICK_SECONDS)


class Machines(World):
    """Machines that boot, die, lose disks, and heal by themselves."""

    def __init__(self, folder: Path, count: int = 3) -> None:
        super().__init__(folder)
        network = self.members[0].address.rsplit(".", 1)[0]
        self.members = tuple(Peer(name=f"member-{i}", zone=f"zone-{i}", address=f"{network}.{i}")
                             for i in range(1, count + 1))  # fmt: skip
        self.agents: dict[str, Agent] = {}
        self.quota: int | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(member.name for member in self.members)

    def machine(self, name: str, members: tuple[Peer, ...] | None = None) -> Context:
        context = super().machine(name, members)
        if self.quota is not None:
            etcd = context.machine.etcd.model_copy(update={"quota_bytes": self.quota})
            context.machine = context.machine.model_copy(update={"etcd": etcd})
        return context

    def boot(self, *names: str, members: tuple[Peer, ...] | None = None) -> None:
        for name in names or self.names:
            context = self.machine(name, members)
            step = self.steps[name]
            self.agents[name] = Agent(context, partial(step.tick, context), partial(step.run, context))

    def die(self, *names: str) -> None:
        """As a power failure: the agent ends where it is."""
        for name in names:
            self.agents[name].dead = True
            self.machines[name].cloud.down = True  # type: ignore[attr-defined]
            self.kill(name)
        for name in names:
            self.agents[name].thread.join(30)
            # What the agent started between the two.
            self.kill(name)

    def volume(self, name: str) -> Path:
        return self.machines[name].paths.etcd_volume

    def empty(self, name: str) -> None:
        shutil.rmtree(self.volume(name))

    def data(self, name: str) -> Path:
        """etcd's data folder."""
        (found,) = [path for path in self.volume(name).iterdir() if (path / "member").is_dir()]
        return found

    def pid(self, name: str) -> int:
        """Of etcd."""
        return self.processes(name)._running[UNIT].pid

    def signal(self, name: str, number: signal.Signals) -> None:
        os.kill(self.pid(name), number)

    def status(self, name: str) -> EndpointStatus:
        context = self.machines[name]
        return cluster(context).etcdctl.status(client_url(context.machine.address))

    def leader(self) -> str:
        """Who leads; waits for an election to end."""
        found: list[str] = []

        def leads() -> bool:
            found.extend(self._leaders())
            return bool(found)

        eventually(leads, SLOW, "somebody leads")
        return found[0]

    def _leaders(self) -> Iterator[str]:
        for name in self.names:
            try:
                if (status := self.status(name)).leader_id == status.member_id:
                    yield name
            except EtcdctlError:
                continue

    def serving(self, name: str) -> bool:
        return answers(metrics_url(self.machines[name].machine.address, SERVING), timeout=2)

    def voters(self) -> set[str]:
        for name in self.names:
            try:
                return set(self.listed(name))
            except EtcdctlError:
                continue
        return set()

    def whole(self, names: Sequence[str] = ()) -> bool:
        """Whether all members serve, are voters, have data on their disks, and their agents have nothing to say."""
        wanted = set(names or self.names)
        return (
            all(self.agents[name].done and not self.agents[name].said for name in wanted)
            and all(self.serving(name) and self.has_data(name) for name in wanted)
            and self.voters() == wanted
        )

    def has_data(self, name: str) -> bool:
        """Whether etcd's log is on the disk: a process runs on without it."""
        return Folders(self.volume(name)).data(self.machines[name].machine.uid) is not None

    def heal(self, seconds: float = SLOW) -> None:
        """Wait until all is well, with no hand on it."""
        until = time.monotonic() + seconds
        while not self.whole():
            assert time.monotonic() < until, f"not whole within {seconds:g} s: {self.words()}"
            time.sleep(0.1)

    def words(self) -> str:
        """What there is to say of each machine."""
        return "; ".join(
            f"{name}: {agent.said or 'well'}, {'serves' if self.serving(name) else 'does not serve'},"
            f" has {sorted(path.name for path in self.volume(name).iterdir())}"
            for name, agent in self.agents.items()
        )

    def end(self) -> None:
        for agent in self.agents.values():
            agent.dead = True
        for agent in self.agents.values():
            agent.thread.join(30)
        super().end()
