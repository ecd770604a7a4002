"""The table is complete, and says the same versions as the files that pin the sources."""

import re
from pathlib import Path

import pytest

from toolchain import download
from toolchain.tool import DebianPackage, Download, GoModules, Match, PythonPackage, Tool
from toolchain.versions import TOOLS, tool

REPOSITORY = Path(__file__).parents[2]
EVERY_TOOL = pytest.mark.parametrize("each", TOOLS, ids=lambda tool: tool.name)
NEEDED = {
    *("pulumi", "kubectl", "kubeadm", "kubelet", "kube-apiserver", "kube-controller-manager", "kube-scheduler"),
    *("kube-proxy", "etcd", "etcdctl", "etcdutl", "containerd", "ctr", "containerd-shim-runc-v2", "runc", "coredns"),
    *("bridge", "loopback", "host-local", "portmap", "firewall", "ptp", "haproxy", "keepalived", "systemd-nspawn"),
    *("mmdebstrap", "ip", "nft", "iptables", "mkfs.ext4", "nsenter", "losetup"),
}


def test_every_binary_that_a_machine_or_the_local_cloud_needs_is_in_the_table() -> None:
    assert {binary for each in TOOLS for binary in each.binaries} >= NEEDED


def test_no_two_tools_bring_the_same_binary() -> None:
    binaries = [binary for each in TOOLS for binary in each.binaries]
    assert len(binaries) == len(set(binaries))


@EVERY_TOOL
def test_every_tool_has_a_last_way_that_needs_no_official_download(each: Tool) -> None:
    assert isinstance(each.ways[-1], GoModules | PythonPackage | DebianPackage)


@EVERY_TOOL
def test_the_official_download_is_tried_first(each: Tool) -> None:
    downloads = [index for index, way in enumerate(each.ways) if isinstance(way, Download)]
    assert downloads in ([], [0])


@EVERY_TOOL
def test_every_download_expands_and_is_checked_over_https(each: Tool) -> None:
    for way in each.ways:
        if isinstance(way, Download):
            for url in (way.url, way.checksums):
                expanded = download.expanded(url, each)
                assert expanded.startswith("https://")
                assert "{" not in expanded
                assert each.version in expanded


@EVERY_TOOL
def test_a_build_makes_every_binary_of_its_tool_from_a_module_pinned_at_the_tables_version(each: Tool) -> None:
    for way in each.ways:
        if isinstance(way, GoModules):
            assert set(way.packages) == set(each.binaries)
            folder = REPOSITORY / "toolchain/go" / way.module
            required = re.findall(r"^\s*(?:require )?(\S+) (v\S+)$", (folder / "go.mod").read_text(), re.MULTILINE)
            for package in way.packages.values():
                versions = [version for module, version in required if package.startswith(module)]
                assert versions == [f"v{each.version}"]
            imported = (folder / "tools.go").read_text()
            assert all(f'"{package}"' in imported for package in way.packages.values())
            assert (folder / "go.sum").stat().st_size > 0


@EVERY_TOOL
def test_a_python_package_is_pinned_by_hash_and_brings_every_binary(each: Tool) -> None:
    for way in each.ways:
        if isinstance(way, PythonPackage):
            assert re.fullmatch(r"[\w-]+==[\d.]+", way.requirement)
            assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in way.sha256)
            assert set(way.files) == set(each.binaries)


@pytest.mark.parametrize("name", ["kubeadm", "kubelet", "kube-apiserver", "etcd", "containerd", "runc", "coredns"])
def test_what_runs_in_machines_is_taken_from_path_only_in_exactly_the_tables_version(name: str) -> None:
    assert tool(name).match is Match.EXACT


def test_cni_plugins_are_kept_off_path_where_they_would_hide_iproute2s_bridge() -> None:
    assert tool("cni-plugins").links != "bin"
    assert tool("cni-plugins").match is Match.NEVER


def test_pulumi_and_its_python_sdk_have_one_version() -> None:
    assert f"\npulumi=={tool('pulumi').version} " in (REPOSITORY / "requirements.lock").read_text()


def test_an_unknown_tool_is_named_with_what_the_table_has() -> None:
    with pytest.raises(KeyError, match=r"kubelt: no such tool; the table has .*kubelet"):
        tool("kubelt")
