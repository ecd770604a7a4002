"""Who installs the addons, whose Nodes are deleted, and the pod network."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.node import addons, cni
from components.node.agent import nodes
from components.node.health import NODE_GONE_SECONDS

NOW = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
VERSIONS = st.builds("v1.{}.{}".format, st.integers(30, 40), st.integers(0, 20))


@given(mine=VERSIONS, installed=VERSIONS)
def test_addons_are_never_installed_by_an_older_version_than_what_is_there(mine: str, installed: str) -> None:
    older = addons.parse_version(mine) < addons.parse_version(installed)
    assert addons.may_install(mine, installed, [mine]) is not older


@given(mine=VERSIONS, others=st.lists(VERSIONS, max_size=4))
def test_addons_wait_for_the_last_master_of_an_upgrade(mine: str, others: list[str]) -> None:
    behind = any(addons.parse_version(other) < addons.parse_version(mine) for other in others)
    assert addons.may_install(mine, None, [mine, *others]) is not behind


@pytest.mark.parametrize("version", ["", "1.37", "v1.x.2", "latest"])
def test_what_is_no_version_is_refused_by_name(version: str) -> None:
    with pytest.raises(addons.VersionError, match=f"{version!r} is not a Kubernetes version"):
        addons.parse_version(version)


def node(name: str, *, silent: float | None, master: bool = True) -> dict[str, Any]:
    since = (NOW - timedelta(seconds=silent or 0)).strftime("%Y-%m-%dT%H:%M:%SZ")
    status = "True" if silent is None else "Unknown"
    mark = {"key": nodes.CONTROL_PLANE, "effect": "NoSchedule"}
    return {
        "metadata": {"name": name, "labels": {nodes.CONTROL_PLANE: ""} if master else {}},
        "spec": {"taints": [mark] if master else []},
        "status": {"conditions": [{"type": "Ready", "status": status, "lastTransitionTime": since}]},
    }


def test_only_masters_that_are_silent_for_long_and_whose_name_is_not_reused_are_gone() -> None:
    long = NODE_GONE_SECONDS + 1.0
    found = [
        node("alive", silent=None),
        node("rebooting", silent=NODE_GONE_SECONDS - 1.0),
        node("member", silent=long),
        node("worker", silent=long, master=False),
        node("gone", silent=long),
    ]
    assert nodes.gone(found, ["member"], NOW) == ["gone"]


def test_a_node_that_never_reported_is_not_taken_for_gone_and_says_so() -> None:
    fresh = {"metadata": {"name": "fresh", "labels": {nodes.CONTROL_PLANE: ""}}}
    assert nodes.gone([fresh], [], NOW) == []
    assert not nodes.ready(fresh)
    assert nodes.why_not_ready(fresh) == "its kubelet has not reported"


@given(st.integers(0, 255))
def test_a_node_gives_its_pods_addresses_of_its_own_part_of_the_pod_network(third: int) -> None:
    own = f"10.244.{third}.0/24"
    conflist = cni.render(own, "10.244.0.0/16")
    bridge = conflist["plugins"][0]
    assert bridge["ipam"]["ranges"] == [[{"subnet": own}]]
    json.dumps(conflist)


def test_a_pods_address_is_not_hidden_from_other_pods() -> None:
    assert cni.render("10.244.1.0/24", "10.244.0.0/16")["plugins"][0]["ipMasq"] is False
    assert "ip daddr != 10.244.0.0/16" in cni.masquerade("10.244.0.0/16")


@pytest.mark.parametrize("node_cidr", ["10.245.0.0/24", "fd00::/64"])
def test_a_pod_cidr_of_another_network_is_refused_by_name(node_cidr: str) -> None:
    with pytest.raises(cni.PodCidrError, match=f"podCIDR {node_cidr} is not a part of the cluster's 10.244.0.0/16"):
        cni.render(node_cidr, "10.244.0.0/16")


def test_nftables_accepts_the_translation(accepted: Callable[..., object], tool: Callable[[str], str]) -> None:
    accepted(
        cni.masquerade("10.244.0.0/16"), "unshare", "--user", "--map-root-user", "--net", tool("nft"), "-c", "-f", "{}"
    )
