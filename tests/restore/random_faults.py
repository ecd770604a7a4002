"""Kills, lost and found disks, cuts, silent stores and restores at random over real etcd processes, by a seed.

Never two clusters of one generation, never a lost write other than by a restore, and what a restore loses is what came
after its snapshot. By hand:

    unshare --net python -m tests.restore.random_faults --seed 7 --seconds 120
"""

import argparse
import logging
import random
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from components.node.agent import cluster, member, restore
from components.node.record import RestoreOrder
from components.node.snapshots import Snapshot
from tests.healing.kv import Acknowledged
from tests.healing.writer import Writer
from tests.restore.rough import Rough

PAUSE_SECONDS = 0.02


class History:
    """Which writes must be there: those of the cluster that is, and those that its snapshots held."""

    def __init__(self, cluster_id: int) -> None:
        self.current = cluster_id
        self.parents: dict[int, tuple[int, int]] = {}
        """Cluster → the one that its snapshot was of, and the snapshot's revision."""

    def branch(self, cluster_id: int, parent: int, revision: int) -> None:
        self.parents[cluster_id] = (parent, revision)
        self.current = cluster_id

    def holds(self, write: Acknowledged) -> bool:
        """Whether a write that was acknowledged is part of the history of the cluster that is."""
        cluster_id, limit = self.current, float("inf")
        while cluster_id != write.cluster_id:
            if cluster_id not in self.parents:
                return False
            cluster_id, revision = self.parents[cluster_id]
            limit = min(limit, revision)
        return write.revision <= limit


@dataclass
class Run:
    """One run."""

    machines: Rough
    draw: random.Random
    taken: list[tuple[Snapshot, int]] = field(default_factory=list)
    """Snapshots, and the cluster that each is of."""
    lost_disks: set[str] = field(default_factory=set)
    """Since all were whole last."""
    restores: int = 0
    done: list[str] = field(default_factory=list)
    """In this episode."""
    history: History = field(init=False)

    def __post_init__(self) -> None:
        self.machines.boot()
        self.machines.heal()
        self.machines.present()
        self.history = History(self.machines.record().cluster_id)
        self.snapshot()

    def episode(self) -> str:
        """A few faults at once, then none: all must become whole by themselves, unless the data is gone for good."""
        self.done = []
        for _ in range(self.draw.randint(1, 4)):
            self.done.append(self.fault())
        self.machines.end_faults()
        begun = time.monotonic()
        if len(self.lost_disks) > len(self.machines.names) // 2:
            self.done.append("restore, as a majority of the disks is gone")
            self.restore()
        self.machines.heal()
        self.lost_disks.clear()
        self.snapshot()
        if self.draw.random() < 0.3:
            self.done.append("restore of a whole cluster")
            self.restore()
            self.machines.heal()
        return f"{time.monotonic() - begun:5.1f} s to whole after: {'; '.join(self.done)}"

    def fault(self) -> str:
        """Something happens, and a while after it."""
        name, what = self.draw.choice(self.machines.names), self.draw.choice(tuple(FAULTS))
        FAULTS[what](self, name)
        pause = self.draw.choice([0.0, 0.3, 1.0, 3.0])
        time.sleep(pause)
        return f"{what} {name}, {pause:g} s"

    def lose(self, name: str, how: Callable[[str], None]) -> None:
        self.lost_disks.add(name)
        how(name)

    def toggle_cut(self, name: str) -> None:
        (self.machines.heal_cut if name in self.machines.cuts else self.machines.cut)(name)

    def snapshot(self) -> None:
        self.taken.append((self.machines.snapshot(), self.history.current))

    def restore(self) -> None:
        """Order one of the last snapshots; some machine may have a fault meanwhile."""
        snapshot, parent = self.draw.choice(self.taken[-3:])
        order: RestoreOrder = self.machines.order(snapshot)
        self.restores += 1
        if self.draw.random() < 0.7:
            time.sleep(self.draw.uniform(0, 2))
            self.machines.restart(self.draw.choice(self.machines.names))
        self.machines.await_finished(order)
        self.history.branch(order.cluster_id, parent, snapshot.revision)

    def check(self, writer: Writer) -> None:
        """Exactly the writes of the history that is are there, among those that were acknowledged."""
        found = self.machines.etcdctl("member-1", "get", "--prefix", writer.prefix, "--keys-only").split()
        present = {int(key.removeprefix(writer.prefix)) for key in found}
        wanted = {number for number, write in writer.acknowledged.items() if self.history.holds(write)}
        assert not wanted - present, f"acknowledged writes are lost: {sorted(wanted - present)}"
        foreign = (writer.acknowledged.keys() - wanted) & present
        assert not foreign, f"writes of another history are there: {sorted(foreign)}"


FAULTS: dict[str, Callable[[Run, str], None]] = {
    "restart": lambda run, name: run.machines.restart(name),
    "power off": lambda run, name: run.machines.die(name),
    "kill etcd": lambda run, name: run.machines.kill_etcd(name),
    "lose disk": lambda run, name: run.lose(name, run.machines.lose_disk),
    "wipe running": lambda run, name: run.lose(name, run.machines.wipe_running),
    "find old disk": lambda run, name: run.lose(name, run.machines.find_disk),
    "cut or heal": lambda run, name: run.toggle_cut(name),
    "silent store": lambda run, name: run.machines.silence_store(),
}


def main(seed: int, seconds: float) -> None:
    """Run episodes for so long; raises at the first promise that is broken."""
    member.RECONSIDER_SECONDS = 4.0  # type: ignore[misc]
    member.REVIEW_SECONDS = 2.0  # type: ignore[misc]
    cluster.LIST_SECONDS = 0.7  # type: ignore[misc]
    restore.ORDER_SECONDS = 0.3  # type: ignore[misc]
    logging.getLogger("grpc").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="kha-random-") as folder:
        machines = Rough(Path(folder))
        try:
            run = Run(machines, random.Random(seed))  # noqa: S311 reproducible, not secret
            writer, episodes, end = Writer(machines, PAUSE_SECONDS), 0, time.monotonic() + seconds
            while time.monotonic() < end:
                try:
                    print(f"seed {seed}: {run.episode()}", flush=True)
                except AssertionError:
                    print(f"seed {seed}: not whole after: {'; '.join(run.done)}", flush=True)
                    raise
                episodes += 1
            writer.stop()
            run.check(writer)
        finally:
            machines.end()
    known = [write for write in writer.acknowledged.values() if run.history.holds(write)]
    print(
        f"seed {seed}: {episodes} episodes, {run.restores} restores, {len(writer.acknowledged)} acknowledged writes,"
        f" {len(known)} of them in the history that is, none lost"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    main(options.seed, options.seconds)
