"""Three machines that carry a member each, on loopback addresses of their own."""

import random
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.node.agent.cloud import Instance
from components.node.agent.log import Log
from components.node.agent.member import Etcd, cluster
from components.node.agent.secrets import Secrets
from components.node.agent.step import Context, Paths
from components.node.etcd import UNIT, client_url
from components.node.machine import Etcd as EtcdDocument
from components.node.machine import Kubernetes, Machine, Peer, Role, Snapshots
from tests.agent.authorities import authority_secret
from tests.agent.memory_cloud import MemoryCloud
from tests.agent.processes import Processes
from toolchain import cache

ME, OTHER, THIRD = (Peer(name=f"member-{i}", zone="z", address=f"10.0.{i}.21") for i in (1, 2, 3))
"""Members of whom nobody is there; tests look at one."""


def document(name: str, members: tuple[Peer, ...], uid: str = "u1", role: Role = Role.MEMBER) -> Machine:
    """A machine document in which `name` is one of `members`."""
    me = next((member for member in members if member.name == name), Peer(name=name, zone="z", address="127.0.0.1"))
    return Machine(
        cloud="local", cluster="test", uid=uid, bucket="b", role=role, name=name, zone=me.zone, address=me.address,
        etcd=EtcdDocument(members=members, heartbeat_ms=40, election_ms=400),
        kubernetes=Kubernetes(
            version="v1.37.2", endpoint="127.0.0.1:6443", pod_cidr="10.244.0.0/16", service_cidr="10.96.0.0/16",
            masters=3, zones=("z",),
        ),
        snapshots=Snapshots(interval_seconds=900, keep=(), locked=False),
    )  # fmt: skip


def idle_member(folder: Path) -> Context:
    """What an agent on `ME` has in hand, without a process or a network."""
    instance = Instance("i", "g", ME.name, ME.zone, ME.address, "t", "t")
    return Context(
        machine=document(ME.name, (ME, OTHER, THIRD)), cloud=MemoryCloud(instance, {}, {}), instance=instance,
        log=Log(console=None), services=Processes(folder / "log"), paths=Paths(folder),
    )  # fmt: skip


class World:
    """Machines that share an object store."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.objects: dict[str, tuple[bytes, str]] = {}
        self.secrets = {name: authority_secret(name) for name in ("etcd-client-ca", "etcd-peer-ca")}
        network = f"127.{random.randint(1, 250)}.{random.randint(1, 250)}"  # noqa: S311 tests may run side by side
        self.members = tuple(Peer(name=f"member-{i}", zone=f"zone-{i}", address=f"{network}.{i}") for i in (1, 2, 3))
        self.machines: dict[str, Context] = {}
        self.steps: dict[str, Etcd] = {}

    def machine(self, name: str, members: tuple[Peer, ...] | None = None) -> Context:
        """Boot a machine up to the step before etcd; its volume is whatever is in its folder."""
        root = self.folder / name
        machine = document(name, members or self.members)
        instance = Instance("i-1", name, name, machine.zone, machine.address, "t", "t")
        paths = Paths(root)
        paths.etcd_volume.mkdir(parents=True, exist_ok=True)
        paths.binaries.mkdir(parents=True, exist_ok=True)
        for tool in ("etcd", "etcdctl", "etcdutl"):
            (paths.binaries / tool).unlink(missing_ok=True)
            (paths.binaries / tool).symlink_to(cache.binary(tool))
        context = Context(
            machine=machine, cloud=self.cloud(instance), instance=instance,
            log=Log(console=None), services=Processes(root / "etcd.log"), paths=paths,
        )  # fmt: skip
        Secrets().run(context)
        self.machines[name] = context
        self.steps[name] = Etcd()
        return context

    def cloud(self, instance: Instance) -> MemoryCloud:
        """What one machine asks."""
        return MemoryCloud(instance, self.objects, self.secrets)

    def form(self) -> None:
        """Boot all members at the same time, as `up` does."""
        contexts = [self.machine(member.name) for member in self.members]
        threads = [threading.Thread(target=self.steps[c.machine.name].run, args=(c,)) for c in contexts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive()

    def kill(self, name: str) -> None:
        """End a machine's etcd as the machine's death would."""
        self.processes(name).kill(UNIT)

    def wipe(self, name: str) -> None:
        """Lose a volume's content."""
        shutil.rmtree(self.machines[name].paths.etcd_volume)

    def processes(self, name: str) -> Processes:
        services = self.machines[name].services
        assert isinstance(services, Processes)
        return services

    def healthy(self, name: str) -> bool:
        return self.steps[name].tick(self.machines[name]) is None

    def listed(self, by: str) -> dict[str, int]:
        """Members and their IDs in the list of the member `by`."""
        context = self.machines[by]
        answer = cluster(context).etcdctl.member_list((client_url(context.machine.address),))
        return {member.name: member.id for member in answer.members if not member.learner}

    def end(self) -> None:
        for context in self.machines.values():
            assert isinstance(context.services, Processes)
            context.services.kill(UNIT)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """An empty world whose processes end with the test."""
    made = World(tmp_path)
    yield made
    made.end()
