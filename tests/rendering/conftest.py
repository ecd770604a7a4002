"""Machine documents to render from: what the local stacks write, by hand and small."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from components.node.machine import Artifact, Balancing, Etcd, Kubernetes, Machine, Peer, Retention, Role, Snapshots
from toolchain import cache

ZONES = ("zone-a", "zone-b", "zone-c")
MASTERS = tuple(Peer(name=f"master-{i}", zone=zone, address=f"10.77.{i}.21") for i, zone in enumerate(ZONES, start=1))
MEMBERS = tuple(
    Peer(name=f"member-{i}", zone=zone, address=f"10.77.{1 + (i - 1) % 3}.{11 + (i - 1) // 3}")
    for i, zone in enumerate((*ZONES, *ZONES[:2]), start=1)
)
BALANCERS = (
    Peer(name="balancer-1", zone="zone-a", address="10.77.0.11"),
    Peer(name="balancer-2", zone="zone-b", address="10.77.0.12"),
)
BALANCING = Balancing(virtual_address="10.77.0.10/24", masters=MASTERS, balancers=BALANCERS)


def document(role: Role, peer: Peer, *, external: bool = False, development: bool = False) -> Machine:
    """The document of one machine: production by default."""
    members = MEMBERS if external else MASTERS[:1] if development else MASTERS
    return Machine(
        cloud="local",
        cluster="local",
        uid="0123456789ab",
        bucket="kube-ha-0123456789ab",
        role=role,
        name=peer.name,
        zone=peer.zone,
        address=peer.address,
        artifacts=tuple(
            Artifact(name=f"tool-{i}", key=f"artifacts/tool-{i}", sha256="0" * 64, path=f"/opt/kube-ha/bin/tool-{i}")
            for i in range(20)
        ),
        etcd=Etcd(members=members, heartbeat_ms=40, election_ms=400),
        kubernetes=Kubernetes(
            version="v1.37.2",
            endpoint="10.77.1.21:6443" if development else "10.77.0.10:6443",
            pod_cidr="10.244.0.0/16",
            service_cidr="10.96.0.0/16",
            masters=1 if development else 3,
            certificate_names=() if development else ("10.77.0.10",),
            zones=ZONES[:1] if development else ZONES,
        ),
        balancing=BALANCING if role is Role.BALANCER else None,
        snapshots=Snapshots(
            interval_seconds=900, keep=(Retention(every_seconds=900, for_seconds=86400),), locked=False
        ),
    )  # fmt: skip


@pytest.fixture
def master() -> Machine:
    """The second master of production, which carries a member."""
    return document(Role.MASTER, MASTERS[1])


@pytest.fixture
def balancer() -> Machine:
    return document(Role.BALANCER, BALANCERS[0])


STACKS = {
    "development": document(Role.MASTER, MASTERS[0], development=True),
    "production": document(Role.MASTER, MASTERS[1]),
    "critical": document(Role.MASTER, MASTERS[2], external=True),
}
"""A master of each scenario."""


@pytest.fixture
def tool() -> Callable[[str], str]:
    """The path of a tool that judges what we rendered; a test without its judge is skipped and says which."""

    def find(name: str) -> str:
        try:
            return str(cache.binary(name))
        except cache.MissingToolError as error:
            found = shutil.which(name)
            if found is None:
                pytest.skip(str(error))
            return found

    return find


@pytest.fixture
def accepted(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a judge over a file with this content; its complaint is the failure's message."""

    def judge(content: str, *command: str, name: str = "file") -> subprocess.CompletedProcess[str]:
        path = tmp_path / name
        path.write_text(content)
        path.chmod(0o644)
        answer = subprocess.run(
            [part.replace("{}", str(path)) for part in command],
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert answer.returncode == 0, f"{' '.join(command)}\n{answer.stdout}{answer.stderr}\n{content}"
        return answer

    return judge
