"""A worker's cloud-init: accepted by the tools that read it, and alike the masters where it must be."""

import json
import re
import tomllib
from collections.abc import Callable
from typing import Any

import pytest

from components.node import cni, containerd, kubelet, worker
from components.node.kubelet import Host

LOCAL = Host(container=True, cgroup_v1=True, swap=False)
CLOUD = Host(container=False, cgroup_v1=False, swap=False)
TOKEN = "abcdef.0123456789abcdef"  # noqa: S105 nobody's


def described(host: Host = CLOUD) -> worker.Worker:
    return worker.Worker(
        endpoint="10.77.0.10:6443",
        token=TOKEN,
        authority_hash="sha256:" + "0" * 64,
        pod_cidr="10.244.0.0/16",
        labels={"topology.kubernetes.io/region": "local", "topology.kubernetes.io/zone": "zone-a"},
        host=host,
    )


def files(host: Host = CLOUD) -> dict[str, str]:
    config: dict[str, Any] = json.loads(worker.render(described(host)).removeprefix("#cloud-config\n"))
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
