"""Volume, artifacts, secrets, identity: what they refuse, and what they do when the cloud is silent."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from components.node.agent.artifacts import ArtifactError, Artifacts
from components.node.agent.cloud import AccessDeniedError, CloudError, Instance
from components.node.agent.folders import FolderError, Folders
from components.node.agent.identity import complete, instance_of
from components.node.agent.secrets import Secrets
from components.node.agent.volume import VolumeError, signatures
from components.node.etcd import Files
from components.node.machine import Artifact
from components.node.membership import Data
from tests.agent.conftest import World, document
from tests.agent.memory_cloud import MemoryCloud

INSTANCE = Instance("i-1", "masters", "master-1", "zone-a", "10.0.1.21", "t", "t", "cloud:///i-1")


def device(tmp_path: Path) -> Path:
    path = tmp_path / "device"
    with path.open("wb") as file:
        file.truncate(64 * 1024**2)
    return path


def test_a_blank_device_has_no_signature(tmp_path: Path) -> None:
    assert signatures(device(tmp_path)) == []


@pytest.mark.parametrize(
    ("command", "found"), [(["mkfs.ext4", "-q"], ["ext4"]), (["mkfs.ext2", "-q"], ["ext2"]), (["mkswap"], ["swap"])]
)
def test_whatever_is_on_a_device_is_seen(tmp_path: Path, command: list[str], found: list[str]) -> None:
    path = device(tmp_path)
    subprocess.run([*command, str(path)], check=True, capture_output=True)
    assert signatures(path) == found


def test_a_device_that_cannot_be_read_is_not_taken_for_a_blank_one(tmp_path: Path) -> None:
    with pytest.raises(VolumeError, match="cannot be read"):
        signatures(tmp_path / "absent")


def test_an_artifact_with_another_checksum_is_not_put_in_place(world: World) -> None:
    context = world.machine("member-1")
    artifact = Artifact(name="tool", key="artifacts/tool", sha256="0" * 64, path="/opt/tool")
    world.objects["artifacts/tool"] = (b"something else", "e")
    context.machine = context.machine.model_copy(update={"artifacts": (artifact,)})
    with pytest.raises(ArtifactError, match=r"artifacts/tool: sha256 is [0-9a-f]{64}, the machine document says 0000"):
        Artifacts().run(context)
    assert list((context.paths.root / "opt").glob("*tool*")) == []


def test_an_artifact_that_is_there_is_not_fetched_again(world: World) -> None:
    context = world.machine("member-1")
    digest = hashlib.sha256(b"content").hexdigest()
    artifact = Artifact(name="tool", key="artifacts/tool", sha256=digest, path="/opt/tool", executable=True)
    world.objects["artifacts/tool"] = (b"content", "e")
    context.machine = context.machine.model_copy(update={"artifacts": (artifact,)})
    Artifacts().run(context)
    assert (context.paths.root / "opt/tool").stat().st_mode & 0o777 == 0o755
    assert isinstance(context.cloud, MemoryCloud)
    context.cloud.down = True
    Artifacts().run(context)


def test_an_artifact_that_was_changed_is_fetched_again(world: World) -> None:
    context = world.machine("member-1")
    digest = hashlib.sha256(b"content").hexdigest()
    artifact = Artifact(name="tool", key="artifacts/tool", sha256=digest, path="/opt/tool")
    world.objects["artifacts/tool"] = (b"content", "e")
    context.machine = context.machine.model_copy(update={"artifacts": (artifact,)})
    Artifacts().run(context)
    (context.paths.root / "opt/tool").write_bytes(b"changed")
    Artifacts().run(context)
    assert (context.paths.root / "opt/tool").read_bytes() == b"content"


def test_certificates_that_are_good_serve_while_the_cloud_is_silent(world: World) -> None:
    context = world.machine("member-1")
    assert isinstance(context.cloud, MemoryCloud)
    before = Files(context.paths.etcd_configuration).certificate("peer").read_bytes()
    context.cloud.down = True
    Secrets().run(context)
    assert Files(context.paths.etcd_configuration).certificate("peer").read_bytes() == before


def test_without_certificates_a_silent_cloud_is_an_error(world: World) -> None:
    context = world.machine("member-1")
    assert isinstance(context.cloud, MemoryCloud)
    Files(context.paths.etcd_configuration).certificate("peer").unlink()
    context.cloud.down = True
    with pytest.raises(CloudError):
        Secrets().run(context)


def test_a_role_that_may_not_read_a_secret_says_so(world: World) -> None:
    context = world.machine("member-1")
    del world.secrets["etcd-peer-ca"]
    with pytest.raises(AccessDeniedError, match="etcd-peer-ca"):
        Secrets().run(context)


def test_keys_are_readable_by_root_only(world: World) -> None:
    files = Files(world.machine("member-1").paths.etcd_configuration)
    assert {files.key(leaf).stat().st_mode & 0o777 for leaf in ("server", "peer", "client")} == {0o600}


def test_the_cloud_completes_what_the_document_leaves_open() -> None:
    open_ended = document("", ()).model_copy(update={"zone": "", "address": ""})
    machine = complete(open_ended, INSTANCE)
    assert (machine.name, machine.zone, machine.address) == ("master-1", "zone-a", "10.0.1.21")
    assert machine.provider_id == INSTANCE.provider_id


def test_a_rebooted_machine_knows_who_it_is_while_the_cloud_is_silent(tmp_path: Path) -> None:
    cloud = MemoryCloud(INSTANCE, {}, {})
    assert instance_of(cloud, tmp_path) == INSTANCE
    cloud.down = True
    assert instance_of(cloud, tmp_path) == INSTANCE
    with pytest.raises(CloudError):
        instance_of(cloud, tmp_path / "new")


def test_folders_say_whose_data_they_hold_and_only_a_log_is_data(tmp_path: Path) -> None:
    folders, data = Folders(tmp_path), Data("u-1", 2, 0xABC)
    (folders.path(data) / "member" / "snap").mkdir(parents=True)
    assert folders.data("u-1") is None
    (folders.path(data) / "member" / "wal").mkdir()
    (folders.path(data) / "member" / "wal" / "0.wal").touch()
    assert folders.data("u-1") == data
    with pytest.raises(FolderError, match="refusing to clear"):
        folders.clear(data)
    kept = folders.set_aside(data)
    assert folders.data("u-1") is None
    assert (kept / "member" / "wal" / "0.wal").exists()
