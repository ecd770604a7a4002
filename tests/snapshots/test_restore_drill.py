"""The restore drill with a real etcd, a real API server that serves it, and a throwaway pair beside them."""

import base64
import json
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from components.node import encryption
from components.node.agent import restore_drill, throwaway
from components.node.agent.kubectl import Kubectl, KubectlError
from components.node.agent.restore_drill import drill
from components.node.agent.snapshot_store import SnapshotStore
from components.node.agent.step import Context
from components.node.agent.throwaway import HOST, Kit, api_command, free_ports, keys, kubeconfig, process, wait
from components.node.certificates import authority
from components.node.etcd import client_url
from components.node.snapshots import Proof, SnapshotKeys
from tests.agent.authorities import authority_secret
from tests.snapshots.conftest import SnapshotWorld
from toolchain import cache

pytestmark = pytest.mark.timeout(400)

KEYS = SnapshotKeys("u1")


def made(folder: Path, world: SnapshotWorld) -> Kit:
    """What a master has: its keys, its binaries."""
    folder.mkdir()
    key = ec.generate_private_key(ec.SECP256R1())
    (folder / "sa.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (folder / "sa.pub").write_bytes(
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    (folder / "encryption.json").write_text(
        json.dumps(encryption.render(base64.b64encode(secrets.token_bytes(32)).decode()))
    )
    return Kit(
        etcd=cache.binary("etcd"), etcdutl=cache.binary("etcdutl"), api_server=cache.binary("kube-apiserver"),
        kubectl=cache.binary("kubectl"), kubernetes_ca=authority(authority_secret("kubernetes"), "kubernetes-ca"),
        etcd_ca=authority(world.secrets["etcd-client-ca"], "etcd-client-ca"),
        service_account_public=folder / "sa.pub", service_account_key=folder / "sa.key",
        encryption=folder / "encryption.json",
    )  # fmt: skip


class Live:
    """A cluster whose API server runs."""

    def __init__(self, world: SnapshotWorld, kit: Kit, kubectl: Kubectl, empty: str, filled: str) -> None:
        self.world, self.kit, self.kubectl = world, kit, kubectl
        self.empty, self.filled = empty, filled

    @property
    def context(self) -> Context:
        return self.world.context("member-1")

    def proof(self, name: str) -> Proof:
        found = SnapshotStore(self.context.cloud, "u1").proof(drill(self.context, name))
        assert found is not None
        return found

    def damaged(self, name: str, change: "Damage") -> str:
        """A copy of a snapshot with its content changed."""
        cloud, number = self.context.cloud, int(name.rpartition("-")[2])
        copy = f"20200101T{secrets.randbelow(240000):06d}Z-{number}"
        content = change(cloud.get(KEYS.database(name))[0])
        cloud.put(KEYS.database(copy), content)
        cloud.put(KEYS.metadata(copy), cloud.get(KEYS.metadata(name))[0])
        return copy


class Damage:
    """A change to a file's content."""

    def __init__(self, offset: int | None = None, length: int | None = None) -> None:
        self.offset, self.length = offset, length

    def __call__(self, content: bytes) -> bytes:
        if self.offset is not None:
            flipped = bytes([content[self.offset] ^ 1])
            return content[: self.offset] + flipped + content[self.offset + 1 :]
        return content[: self.length]


@pytest.fixture(scope="module")
def live(formed: SnapshotWorld, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Two snapshots: one before the API server ever ran, one with a Secret; then the Secret's neighbour changes."""
    formed.clear()
    if shutil.disk_usage(formed.folder).free < 2 * 1024**3:
        pytest.skip("needs 2 GiB of disk")
    folder = tmp_path_factory.mktemp("live")
    kit = made(folder / "master", formed)
    patch = pytest.MonkeyPatch()
    patch.setattr("components.node.agent.snapshots.FIRST_ROUNDS", -10)
    patch.setattr(restore_drill, "kit", lambda context: kit)
    empty = taken(formed)
    keys(kit, folder)
    (port,) = free_ports(1)
    command = api_command(kit, folder, 0, port)
    command = [part for part in command if not part.startswith(("--etcd-servers", "--authorization"))]
    command += [f"--etcd-servers={client_url(formed.members[0].address)}", "--authorization-mode=AlwaysAllow"]
    # In the foreground, unlike a throwaway one.
    patch.setattr(throwaway, "EXPENDABLE", ())
    try:
        with process("API server", command, folder) as server:
            (folder / "kubeconfig").write_text(json.dumps(kubeconfig(folder, port)))
            kubectl = Kubectl(kit.kubectl, folder / "kubeconfig", f"https://{HOST}:{port}")
            wait(kubectl, {"API server": server}, folder)
            patch.setattr(restore_drill, "local", lambda context: kubectl)
            await_namespace(kubectl)
            kubectl("create", "secret", "generic", "login", "--from-literal=password=v")
            kubectl("create", "configmap", "settings", "--from-literal=k=v")
            time.sleep(1.1)
            filled = taken(formed)
            kubectl("patch", "configmap", "settings", "--patch", '{"data": {"k": "later"}}')
            yield Live(formed, kit, kubectl, empty, filled)
    finally:
        patch.undo()


def taken(world: SnapshotWorld) -> str:
    world.clear()
    world.round("member-1")
    (one,) = SnapshotStore(world.store_of("member-1"), "u1").catalogue().snapshots
    content = {
        key(one.name): world.store_of("member-1").get(key(one.name))[0] for key in (KEYS.database, KEYS.metadata)
    }
    world.kept = {**getattr(world, "kept", {}), **content}  # type: ignore[attr-defined]
    return one.name


def await_namespace(kubectl: Kubectl) -> None:
    deadline = time.monotonic() + 60
    while kubectl.get("namespace", "default") is None or kubectl.get("namespace", "kube-system") is None:
        assert time.monotonic() < deadline
        time.sleep(0.5)


@pytest.fixture(autouse=True)
def stored(live: Live) -> None:
    """Both snapshots are in the store."""
    for key, content in live.world.kept.items():  # type: ignore[attr-defined]
        live.context.cloud.put(key, content)


def test_a_good_snapshot_is_proven_and_its_secrets_are_readable(live: Live) -> None:
    proof = live.proof(live.filled)
    assert proof.proven, proof.message
    assert "changed since" in proof.message
    assert "kube_ha_restore_drill_proven 1" in live.context.metrics.render()
    assert "proof" not in live.context.concerns


def test_nothing_is_left_of_a_drill(live: Live) -> None:
    live.proof(live.filled)
    assert list((live.context.paths.state / "snapshots").iterdir()) == []
    everything = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(live.context.paths.state / "snapshots") not in everything


@pytest.mark.parametrize(
    ("damage", "words"),
    [(Damage(length=-5000), "sha256"), (Damage(offset=20000), "sha256"), (Damage(length=0), "sha256")],
    ids=["truncated", "bit flipped", "empty"],
)
def test_a_snapshot_that_was_damaged_in_the_store_is_found(live: Live, damage: Damage, words: str) -> None:
    proof = live.proof(live.damaged(live.filled, damage))
    assert not proof.proven
    assert words in proof.message


def test_a_snapshot_of_another_cluster_is_found(live: Live) -> None:
    proof = live.proof(live.empty)
    assert not proof.proven
    assert "of another cluster" in proof.message


def test_a_lost_encryption_key_is_found(live: Live, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    other = tmp_path / "encryption.json"
    other.write_text(json.dumps(encryption.render(base64.b64encode(os.urandom(32)).decode())))
    kit = Kit(**{**live.kit.__dict__, "encryption": other})
    monkeypatch.setattr(restore_drill, "kit", lambda context: kit)
    proof = live.proof(live.filled)
    assert not proof.proven
    assert "secrets" in proof.message


def test_the_api_server_of_a_drill_writes_for_nobody(live: Live, tmp_path: Path) -> None:
    snapshot = tmp_path / "snapshot.db"
    snapshot.write_bytes(live.context.cloud.get(KEYS.database(live.filled))[0])
    with throwaway.opened(live.kit, snapshot, tmp_path) as restored:
        assert restored.get("configmap", "settings") is not None
        with pytest.raises(KubectlError, match="cannot create resource"):
            restored("create", "configmap", "mine")


def test_a_bad_newest_snapshot_is_a_concern_of_the_machine(live: Live) -> None:
    cloud = live.context.cloud
    content = cloud.get(KEYS.database(live.filled))[0]
    cloud.put(KEYS.database(live.filled), Damage(offset=20000)(content))
    live.proof(live.filled)
    assert "is not good" in live.context.concerns["proof"]
    assert "kube_ha_restore_drill_proven 0" in live.context.metrics.render()
    cloud.put(KEYS.database(live.filled), content)
    live.proof(live.filled)
    assert "proof" not in live.context.concerns
