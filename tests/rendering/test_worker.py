"""A worker's cloud-init: accepted by the tools that read it, and alike the masters where it must be."""

import hashlib
import json
import re
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.node import cni, containerd, kubelet, worker, worker_files
from components.node.kubelet import Host
from components.node.machine import Artifact

LOCAL = Host(container=True, cgroup_v1=True, swap=False)
CLOUD = Host(container=False, cgroup_v1=False, swap=False)
TOKEN = "abcdef.0123456789abcdef"  # noqa: S105 nobody's


def described(host: Host = CLOUD, **own: Any) -> worker.Worker:
    given = {"token": TOKEN, "pod_cidr": "10.244.0.0/16", **own}
    return worker.Worker(
        endpoint="10.77.0.10:6443",
        authority_hash="sha256:" + "0" * 64,
        labels={"topology.kubernetes.io/region": "local", "topology.kubernetes.io/zone": "zone-a"},
        host=host,
        **given,
    )


def files(host: Host = CLOUD, **own: Any) -> dict[str, str]:
    config: dict[str, Any] = json.loads(worker.render(described(host, **own)).removeprefix("#cloud-config\n"))
    return {file["path"]: file["content"] for file in config["write_files"]}


@pytest.mark.parametrize("host", [LOCAL, CLOUD], ids=str)
def test_kubeadm_accepts_how_it_joins(host: Host, accepted: Callable[..., object], tool: Callable[[str], str]) -> None:
    accepted(files(host)[worker.JOIN], tool("kubeadm"), "config", "validate", "--config", "{}")


def test_the_token_is_in_one_file_that_only_root_reads_and_in_no_message() -> None:
    config = json.loads(worker.render(described()).removeprefix("#cloud-config\n"))
    holding = [file for file in config["write_files"] if TOKEN in file["content"]]
    assert [(file["path"], file["permissions"]) for file in holding] == [(worker.JOIN, "0600")]
    assert TOKEN not in json.dumps(config["runcmd"])
    assert TOKEN not in repr(described())


def test_containerd_makes_the_pod_network_that_an_agent_would_have_made() -> None:
    rendered = files()
    assert f'conf_template = "{cni.TEMPLATE}"' in rendered[containerd.CONFIGURATION]
    filled = rendered[cni.TEMPLATE].replace("{{.PodCIDR}}", "10.244.7.0/24")
    assert json.loads(filled) == cni.render("10.244.7.0/24", "10.244.0.0/16")
    # What is in the folder of configurations would be taken for one.
    assert not cni.TEMPLATE.startswith(cni.CONFIGURATION.rpartition("/")[0])


def test_a_masters_containerd_has_no_template_since_its_agent_writes_the_pod_network() -> None:
    assert "conf_template" not in containerd.render(CLOUD)


@pytest.mark.parametrize("host", [LOCAL, CLOUD], ids=str)
def test_containerds_configuration_is_toml_with_one_setting_more_than_a_masters(host: Host) -> None:
    own = tomllib.loads(files(host)[containerd.CONFIGURATION])["plugins"]["io.containerd.cri.v1.runtime"]["cni"]
    masters = tomllib.loads(containerd.render(host))["plugins"]["io.containerd.cri.v1.runtime"]["cni"]
    assert own == masters | {"conf_template": cni.TEMPLATE}


def test_only_a_container_remounts_and_only_cgroup_v1_is_overlooked() -> None:
    assert "remount" in files(LOCAL)[worker.PREPARE]
    assert "remount" not in files(CLOUD)[worker.PREPARE]
    assert worker.join(described(LOCAL))["nodeRegistration"]["ignorePreflightErrors"] == ["SystemVerification"]
    assert "ignorePreflightErrors" not in worker.join(described(CLOUD))["nodeRegistration"]


@pytest.mark.parametrize("host", [LOCAL, CLOUD], ids=str)
def test_a_shell_accepts_the_preparation(host: Host, accepted: Callable[..., object]) -> None:
    accepted(files(host)[worker.PREPARE], "sh", "-n", "{}")


@pytest.mark.parametrize("unit", [containerd.UNIT, kubelet.UNIT, worker.PREPARE_UNIT, worker.JOIN_UNIT])
def test_systemd_accepts_the_units(unit: str, accepted: Callable[..., object], tool: Callable[[str], str]) -> None:
    # What it starts is the worker's, not this machine's.
    text = re.sub(r"(?m)^(ExecStart=)\S+", r"\1/bin/true", files()[f"/etc/systemd/system/{unit}"])
    accepted(text, tool("systemd-analyze"), "verify", "--recursive-errors=no", "{}", name=unit)


def test_binaries_are_found_where_packages_put_them_and_where_the_image_has_them() -> None:
    for unit in (containerd.UNIT, kubelet.UNIT):
        text = files()[f"/etc/systemd/system/{unit}"]
        assert re.search(r"(?m)^ExecStart=/usr/bin/env ", text)
        assert re.search(r"(?m)^Environment=PATH=/opt/kube-ha/bin:.*:/usr/bin:", text)


ON_AWS: dict[str, Any] = {"token": "", "cloud": "aws", "secret": "kube-ha/0123/worker-token"}


def test_a_worker_on_aws_reads_the_token_as_it_joins_and_no_user_data_holds_one(
    tmp_path: Path, accepted: Callable[..., object], tool: Callable[[str], str]
) -> None:
    own = files(**ON_AWS)
    assert worker.JOIN not in own
    assert f"ExecStartPre={worker.COMPLETE}\n" in own[f"/etc/systemd/system/{worker.JOIN_UNIT}"]
    stock = {
        "aws": f'[ "$*" = "{ASKED}" ] && [ "$AWS_DEFAULT_REGION" = eu-west-1 ] && echo {TOKEN}',
        "cloud-init": "case $2 in region) echo eu-west-1;; availability_zone) echo eu-west-1a;; *) echo i-0abc;; esac",
    }
    for name, answer in stock.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{answer}\n")
        (tmp_path / name).chmod(0o755)
    # A stock image has no folder of Kubernetes' own.
    join = tmp_path / "kubernetes" / "join.json"
    script = own[worker.COMPLETE].replace(worker.JOIN, str(join))
    subprocess.run(["sh", "-c", script], env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, check=True)
    assert join.stat().st_mode & 0o777 == 0o600
    written = join.read_text()
    accepted(written, tool("kubeadm"), "config", "validate", "--config", "{}")
    joining = json.loads(written)
    assert joining["discovery"]["bootstrapToken"]["token"] == TOKEN
    flags = {flag["name"]: flag["value"] for flag in joining["nodeRegistration"]["kubeletExtraArgs"]}
    assert (flags["cloud-provider"], flags["provider-id"]) == ("external", "aws:///eu-west-1a/i-0abc")


ASKED = (
    "secretsmanager get-secret-value --secret-id kube-ha/0123/worker-token --query SecretString --output text"
    " --cli-connect-timeout 2 --cli-read-timeout 10"
)


def test_where_the_user_brings_a_network_plugin_a_worker_makes_no_pod_network() -> None:
    own = files(pod_cidr=None)
    assert not {cni.TEMPLATE, cni.MASQUERADE} & own.keys()
    assert "conf_template" not in own[containerd.CONFIGURATION]
    assert "nft" not in own[worker.PREPARE].replace("nf_tables", "")


FILE = b"#!/bin/sh\n"
KUBELET = Artifact(name="kubelet", key="artifacts/k", sha256=hashlib.sha256(FILE).hexdigest(), path="kubelet")


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    """What `aws s3 cp` copies from; the first time that it is asked it fails."""
    folder = tmp_path / "s3:" / "stack"
    (folder / "artifacts").mkdir(parents=True)
    (folder / "artifacts" / "k").write_bytes(FILE)
    copied = f"[ -e {tmp_path}/asked ] || {{ touch {tmp_path}/asked; exit 1; }}; cp {tmp_path}/s3:/${{8#s3://}} $9"
    stock = {"aws": copied, "cloud-init": "echo eu-west-1", "sleep": ":"}
    for name, does in stock.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{does}\n")
        (tmp_path / name).chmod(0o755)
    return folder


def obtain(folder: Path, artifact: Artifact) -> None:
    wanted = artifact.model_copy(update={"path": str(folder / "bin" / artifact.path)})
    own = files(**ON_AWS, bucket="stack", files=(wanted,))
    command = ["timeout", "2", "sh", "-c", own[worker_files.OBTAIN]]
    subprocess.run(command, env={"PATH": f"{folder}:/usr/bin:/bin"}, check=True, stderr=subprocess.DEVNULL)


@pytest.mark.usefixtures("bucket")
def test_what_the_image_lacks_is_fetched_until_it_is_there_and_not_again(tmp_path: Path) -> None:
    obtain(tmp_path, KUBELET)
    there = tmp_path / "bin" / "kubelet"
    assert (there.read_bytes(), there.stat().st_mode & 0o777) == (FILE, 0o755)
    (tmp_path / "aws").write_text("#!/bin/sh\nexit 1\n")
    obtain(tmp_path, KUBELET)


def test_a_file_of_another_content_is_not_put_in_place(tmp_path: Path, bucket: Path) -> None:
    (bucket / "artifacts" / "k").write_bytes(b"another")
    with pytest.raises(subprocess.CalledProcessError):
        obtain(tmp_path, KUBELET)
    assert not (tmp_path / "bin" / "kubelet").exists()


def test_a_worker_that_fetches_nothing_installs_nothing() -> None:
    assert "packages" not in json.loads(worker.render(described()).removeprefix("#cloud-config\n"))
    assert worker_files.OBTAIN not in files()
