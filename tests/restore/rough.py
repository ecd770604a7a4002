"""Machines in a network of their own, with all that may happen to them."""

import itertools
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from components.node.agent.cluster import EtcdCluster
from components.node.agent.step import Context
from components.node.machine import Peer
from components.node.membership import Quorum
from components.node.record import PEER_PORT, Static
from tests.agent.memory_cloud import MemoryCloud
from tests.restore.machines import Restorable

TCP_RETRIES = "net.ipv4.tcp_retries2=4"
"""As etcd's unit sets it before etcd starts."""


class Rough(Restorable):
    """Three machines. The process has to be in a network namespace of its own, in which it is root."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.members = tuple(
            Peer(name=f"member-{i}", zone=f"zone-{i}", address=f"10.213.0.{i}") for i in range(1, len(self.members) + 1)
        )
        run("ip", "link", "set", "lo", "up")
        run("sysctl", "-q", "-w", TCP_RETRIES)
        for member in self.members:
            run("ip", "address", "add", f"{member.address}/32", "dev", "lo")
        self.cuts: set[str] = set()
        self.old_disks: dict[str, list[Path]] = {name: [] for name in self.names}
        self.silent = False
        self._disks = itertools.count()
        self._hide_others_from_cut_ones()

    def machine(self, name: str, members: tuple[Peer, ...] | None = None) -> Context:
        context = super().machine(name, members)
        context.cloud.down = self.silent or name in self.cuts  # type: ignore[attr-defined]
        return context

    # -- what may happen -----------------------------------------------------------------------------------------

    def restart(self, name: str) -> None:
        """The machine is replaced, with its disk."""
        if not self.agents[name].dead:
            self.die(name)
        self.boot(name)

    def kill_etcd(self, name: str) -> None:
        """etcd alone ends, and its agent is there."""
        self.kill(name)

    def lose_disk(self, name: str) -> None:
        """The machine is replaced, without its disk."""
        self.die(name)
        self.put_away(name)
        self.boot(name)

    def find_disk(self, name: str) -> None:
        """The machine is replaced, with the disk that it had before the last one."""
        self.die(name)
        found = self.old_disks[name].pop() if self.old_disks[name] else None
        self.put_away(name)
        if found is not None:
            found.rename(self.volume(name))
        self.boot(name)

    def wipe_running(self, name: str) -> None:
        """The disk is emptied under the running process."""
        shutil.rmtree(self.volume(name), ignore_errors=True)
        self.volume(name).mkdir(exist_ok=True)

    def cut(self, name: str) -> None:
        """Nobody reaches the machine and it reaches nobody, its object store included."""
        self.cuts.add(name)
        self.machines[name].cloud.down = True  # type: ignore[attr-defined]
        self._filter("--append", name)

    def heal_cut(self, name: str) -> None:
        self.cuts.discard(name)
        self._filter("--delete", name)
        self._let_reach(name)

    def silence_store(self) -> None:
        """The object store answers no machine."""
        self.silent = True
        for name in self.names:
            self.machines[name].cloud.down = True  # type: ignore[attr-defined]

    def end_faults(self) -> None:
        """Everything is as it should be, but for disks that are gone; what dead machines had is found again."""
        self.silent = False
        for name in tuple(self.cuts):
            self.heal_cut(name)
        for name in self.names:
            self._let_reach(name)
            if self.agents[name].dead:
                self.boot(name)

    # -- how -----------------------------------------------------------------------------------------------------

    def put_away(self, name: str) -> None:
        """Take the disk out of the machine."""
        away = self.folder / f"{name}-disk-{next(self._disks)}"
        self.volume(name).rename(away)
        self.old_disks[name].insert(0, away)

    def _let_reach(self, name: str) -> None:
        cloud = self.machines[name].cloud
        assert isinstance(cloud, MemoryCloud)
        cloud.down = self.silent or name in self.cuts or self.agents[name].dead

    def _filter(self, how: str, name: str) -> None:
        address = next(member.address for member in self.members if member.name == name)
        for side in ("--source", "--destination"):
            run(
                "iptables",
                how,
                "INPUT",
                side,
                address,
                "--protocol",
                "tcp",
                "--dport",
                str(PEER_PORT),
                "--jump",
                "DROP",
            )

    def _hide_others_from_cut_ones(self) -> None:
        """Agents share one process and its addresses: the network cannot cut them, so this does."""
        original: Callable[..., Quorum | None] = EtcdCluster.quorum
        cuts = self.cuts

        def quorum(self: EtcdCluster, static: Static) -> Quorum | None:
            return None if self.me.name in cuts else original(self, static)

        EtcdCluster.quorum = quorum  # type: ignore[method-assign]


def run(*command: str) -> Any:
    """Run a command, or fail with what it said."""
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, f"{' '.join(command)}: {ran.stderr}"
