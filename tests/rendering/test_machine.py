"""What a machine boots from: cloud-init's user data, systemd's units, containerd's configuration."""

import hashlib
import io
import itertools
import json
import re
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from components.node import cloud_init, containerd, keepalived, kubelet, passthrough
from components.node.agent import host, images
from components.node.cloud_init import AgentSource
from components.node.kubelet import Host
from components.node.machine import Artifact, Machine, Role
from tests.rendering.conftest import BALANCERS, STACKS, document

AGENT = AgentSource(
    bundle_key="agent/bundle.tar.gz",
    bundle_sha256="a" * 64,
    libraries_key="artifacts/agent-libraries",
    libraries_sha256="b" * 64,
)
MACHINES = {**STACKS, "balancer": document(Role.BALANCER, BALANCERS[0])}
UNITS = {
    "kubelet.service": kubelet.service(),
    "containerd.service": containerd.service(),
    passthrough.UNIT: passthrough.service(),
    "kube-ha-balancer.service": keepalived.balancer_service(),
    keepalived.UNIT: keepalived.service(MACHINES["balancer"]),
    cloud_init.AGENT_UNIT: cloud_init.service(AGENT),
}


@pytest.mark.parametrize("kind", MACHINES)
def test_cloud_init_accepts_the_user_data(
    kind: str, accepted: Callable[..., object], tool: Callable[[str], str]
) -> None:
    accepted(cloud_init.render(MACHINES[kind], AGENT), tool("cloud-init"), "schema", "--config-file", "{}")


@pytest.mark.parametrize("kind", MACHINES)
def test_a_machine_reads_the_document_that_the_program_wrote(kind: str) -> None:
    config = json.loads(cloud_init.render(MACHINES[kind], AGENT).partition("\n")[2])
    written = {file["path"]: file["content"] for file in config["write_files"]}
    assert Machine.model_validate_json(written["/etc/kube-ha/machine.json"]) == MACHINES[kind]


def test_user_data_that_a_cloud_would_refuse_is_refused_with_its_size(master: Machine) -> None:
    artifact = Artifact(name="tool", key="k" * 200, sha256="0" * 64, path="/opt/kube-ha/bin/tool")
    large = master.model_copy(update={"artifacts": (artifact,) * 50})
    with pytest.raises(cloud_init.UserDataTooLargeError, match=r"master master-2: \d{5} bytes; clouds take 16384"):
        cloud_init.render(large, AGENT)


def test_a_cloud_that_nothing_can_be_fetched_from_is_refused_by_name(master: Machine) -> None:
    with pytest.raises(ValueError, match="'mars' has no way to fetch the agent"):
        cloud_init.render(master.model_copy(update={"cloud": "mars"}), AGENT)


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_accepts_the_unit(unit: str, accepted: Callable[..., object], tool: Callable[[str], str]) -> None:
    # systemd also looks whether the programs are there; ours are on the machine.
    content = re.sub(r"(/opt/kube-ha/bin/[\w-]+|/usr/local/sbin/kube-ha-\w+|/usr/sbin/\w+)", "/bin/true", UNITS[unit])
    accepted(content, tool("systemd-analyze"), "verify", "--man=no", "{}", name=unit)


@pytest.mark.parametrize("unit", UNITS)
def test_every_service_comes_back_by_itself_however_often_it_ends(unit: str) -> None:
    assert "Restart=always" in UNITS[unit]
    assert "StartLimitIntervalSec=0" in UNITS[unit]


@pytest.mark.parametrize(("container", "cgroup_v1"), list(itertools.product((True, False), repeat=2)))
def test_containerd_accepts_its_configuration(
    container: bool, cgroup_v1: bool, accepted: Callable[..., subprocess.CompletedProcess[str]],
    tool: Callable[[str], str],
) -> None:  # fmt: skip
    configuration = containerd.render(Host(container=container, cgroup_v1=cgroup_v1, swap=False))
    dump = accepted(configuration, tool("containerd"), "--config", "{}", "config", "dump").stdout
    assert f"restrict_oom_score_adj = {str(container).lower()}" in dump
    assert f"SystemdCgroup = {str(not container and not cgroup_v1).lower()}" in dump
    assert f"sandbox = '{containerd.SANDBOX_IMAGE}'" in dump


class Bootstrap:
    """The bootstrap script in a folder of its own, with a bucket that is a folder."""

    def __init__(self, folder: Path, machine: Machine) -> None:
        self.root, self.bucket = folder / "root", folder / "bucket"
        self.bucket.mkdir()
        archives = {name: self.archive(name) for name in ("bundle", "libraries")}
        self.sha256 = {name: hashlib.sha256(content).hexdigest() for name, content in archives.items()}
        for name, content in archives.items():
            (self.bucket / name).write_bytes(content)
        agent = AgentSource(
            bundle_key="bundle",
            bundle_sha256=self.sha256["bundle"],
            libraries_key="libraries",
            libraries_sha256=self.sha256["libraries"],
        )
        script = cloud_init.bootstrap(machine, agent).replace("/opt/kube-ha", str(self.root))
        self.script = script.replace(cloud_init.FETCH["local"], f'cp "{self.bucket}/$KEY" "$FILE"')

    @staticmethod
    def archive(name: str) -> bytes:
        content = io.BytesIO()
        with tarfile.open(fileobj=content, mode="w:gz") as tar:
            info = tarfile.TarInfo("hello.txt")
            info.size = len(name)
            tar.addfile(info, io.BytesIO(name.encode()))
        return content.getvalue()

    def run(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["sh", "-c", self.script], capture_output=True, text=True, check=False, timeout=30)


@pytest.fixture
def bootstrap(tmp_path: Path, master: Machine) -> Bootstrap:
    return Bootstrap(tmp_path, master)


def test_the_agent_and_its_libraries_are_unpacked_where_the_unit_looks(bootstrap: Bootstrap) -> None:
    answer = bootstrap.run()
    assert answer.returncode == 0, answer.stderr
    assert (bootstrap.root / "agent/hello.txt").read_text() == "bundle"
    assert (bootstrap.root / "libraries" / bootstrap.sha256["libraries"] / "hello.txt").read_text() == "libraries"


def test_what_the_image_has_already_is_not_fetched(bootstrap: Bootstrap) -> None:
    (bootstrap.root / "libraries" / bootstrap.sha256["libraries"]).mkdir(parents=True)
    (bootstrap.bucket / "libraries").unlink()
    assert bootstrap.run().returncode == 0


def test_an_archive_of_another_content_is_not_unpacked(bootstrap: Bootstrap) -> None:
    (bootstrap.bucket / "bundle").write_bytes(bootstrap.archive("other"))
    assert bootstrap.run().returncode != 0
    assert not (bootstrap.root / "agent").exists()


def test_a_fetch_that_failed_leaves_nothing_behind_that_a_later_one_trips_over(bootstrap: Bootstrap) -> None:
    content = (bootstrap.bucket / "bundle").read_bytes()
    (bootstrap.bucket / "bundle").write_bytes(content[:20])
    assert bootstrap.run().returncode != 0
    (bootstrap.bucket / "bundle").write_bytes(content)
    assert bootstrap.run().returncode == 0
    assert [path.name for path in (bootstrap.root / "agents").iterdir()] == [bootstrap.sha256["bundle"]]


def test_mounts_that_runc_writes_to_are_unlocked_and_no_others() -> None:
    mounts = """\
sysfs /sys sysfs ro,nosuid 0 0
proc /proc/sys proc ro,nosuid 0 0
proc /proc/acpi proc ro,nosuid 0 0
tmpfs /sys/fs/cgroup tmpfs ro,nosuid,mode=755 0 0
cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0
cgroup /sys/fs/cgroup/cpu cgroup ro,cpu 0 0
overlay / overlay rw,errors=remount-ro 0 0
"""
    assert host.read_only(mounts) == ["/sys", "/proc/sys", "/sys/fs/cgroup", "/sys/fs/cgroup/cpu"]


def test_what_kind_of_machine_it_is_is_found_on_the_machine(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/swaps").write_text("Filename Type Size Used Priority\n")
    assert host.detect(tmp_path) == Host(container=False, cgroup_v1=True, swap=False)
    for path in ("run/systemd/container", "sys/fs/cgroup/cgroup.controllers"):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).touch()
    (tmp_path / "proc/swaps").write_text("Filename Type Size Used Priority\n/dev/sda partition 1 0 -2\n")
    assert host.detect(tmp_path) == Host(container=True, cgroup_v1=False, swap=True)


def test_an_image_archive_says_which_images_it_has_and_another_file_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "pause.tar"
    index = json.dumps({"manifests": [{"annotations": {"io.containerd.image.name": "registry.k8s.io/pause:3"}}]})
    with tarfile.open(archive, "w") as tar:
        info = tarfile.TarInfo("index.json")
        info.size = len(index)
        tar.addfile(info, io.BytesIO(index.encode()))
    assert images.names(archive) == {"registry.k8s.io/pause:3"}
    archive.write_text("no archive")
    with pytest.raises(images.ImageError, match=r"pause\.tar: not an OCI archive"):
        images.names(archive)


def test_a_kubelet_notices_that_nobody_is_behind_its_connection_long_before_its_node_is_taken_for_dead() -> None:
    found = re.findall(r"(HTTP2_(?:READ_IDLE|PING)_TIMEOUT_SECONDS)=(\d+)", kubelet.service())
    assert [name for name, _ in found] == ["HTTP2_READ_IDLE_TIMEOUT_SECONDS", "HTTP2_PING_TIMEOUT_SECONDS"]
    node_monitor_grace_period = 50
    assert sum(int(seconds) for _, seconds in found) < node_monitor_grace_period / 2
