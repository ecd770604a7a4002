"""kubeadm's configuration: accepted by kubeadm, and what it promises of the control plane."""

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest

from components.node import addons, audit, authentication, encryption, kubeadm, kubelet
from components.node.health import (
    DRAIN_SECONDS,
    ETCD_READY_SECONDS,
    LOAD_BALANCER,
    grace_period_seconds,
    shutdown_delay_seconds,
)
from components.node.kubelet import Host
from components.node.machine import Machine, Oidc
from tests.rendering.conftest import STACKS

HOSTS = [
    Host(container=container, cgroup_v1=cgroup_v1, swap=swap)
    for container, cgroup_v1, swap in itertools.product((True, False), repeat=3)
]
LOCAL = Host(container=True, cgroup_v1=True, swap=False)
CLOUD = Host(container=False, cgroup_v1=False, swap=False)
KEY = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="


def flags(machine: Machine, component: str = "apiServer") -> dict[str, str]:
    return {flag["name"]: flag["value"] for flag in kubeadm.cluster(machine)[component]["extraArgs"]}


@pytest.mark.parametrize("scenario", STACKS)
@pytest.mark.parametrize("host", HOSTS, ids=str)
def test_kubeadm_accepts_it_on_every_kind_of_machine(
    scenario: str, host: Host, accepted: Callable[..., object], tool: Callable[[str], str]
) -> None:
    configuration = kubeadm.render(STACKS[scenario], host, "abcdef.0123456789abcdef")
    accepted(configuration, tool("kubeadm"), "config", "validate", "--config", "{}")


@pytest.mark.parametrize("scenario", STACKS)
def test_the_api_server_knows_one_etcd_the_passthrough_in_every_scenario(scenario: str) -> None:
    assert kubeadm.cluster(STACKS[scenario])["etcd"]["external"]["endpoints"] == ["https://127.0.0.1:2379"]


def test_an_api_server_waits_for_etcd_as_long_as_its_balancers_count_on(master: Machine) -> None:
    assert flags(master)["etcd-readycheck-timeout"] == f"{ETCD_READY_SECONDS}s"


def test_clients_are_moved_between_masters_only_where_there_are_others() -> None:
    assert flags(STACKS["production"])["goaway-chance"] == "0.001"
    assert "goaway-chance" not in flags(STACKS["development"])


@pytest.mark.parametrize("cloud", LOAD_BALANCER)
def test_an_api_server_that_ends_is_unused_before_it_stops_and_is_not_killed_before_it_has_drained(cloud: str) -> None:
    check = LOAD_BALANCER[cloud]
    assert shutdown_delay_seconds(cloud) >= check.interval_seconds * check.threshold + 5
    assert grace_period_seconds(cloud) >= shutdown_delay_seconds(cloud) + DRAIN_SECONDS


def test_an_unknown_cloud_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(ValueError, match=r"cloud: 'mars' .* local, aws, azure, gcp"):
        shutdown_delay_seconds("mars")


def test_a_lost_quorum_does_not_restart_the_api_server(master: Machine) -> None:
    pod = kubeadm.patches(master)["kube-apiserver+strategic.json"]["spec"]
    assert pod["containers"][0]["livenessProbe"]["httpGet"]["path"] == "/livez?exclude=etcd"
    assert pod["terminationGracePeriodSeconds"] == grace_period_seconds("local")


def test_a_component_that_has_started_is_ready_within_a_second_and_has_as_long_to_start_as_kubeadm_gives_it(
    master: Machine,
) -> None:
    patches = kubeadm.patches(master)
    for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler"):
        (container,) = patches[f"{name}+strategic.json"]["spec"]["containers"]
        probe = container["startupProbe"]
        assert container["name"] == name
        assert (probe["initialDelaySeconds"], probe["periodSeconds"]) == (0, 1)
        assert probe["periodSeconds"] * probe["failureThreshold"] == 4 * 60


def test_anonymous_callers_reach_exactly_four_paths() -> None:
    anonymous = authentication.render(None)["anonymous"]
    assert {condition["path"] for condition in anonymous["conditions"]} == {
        "/livez",
        "/readyz",
        "/healthz",
        "/api/v1/namespaces/kube-public/configmaps/cluster-info",
    }


def test_a_user_of_the_identity_provider_cannot_be_named_like_one_of_the_cluster() -> None:
    oidc = Oidc(issuer_url="https://id.example", client_id="kube", groups_claim="groups")
    mappings = authentication.render(oidc)["jwt"][0]["claimMappings"]
    assert mappings["username"]["prefix"] == mappings["groups"]["prefix"] == "oidc:"


def test_every_flag_that_names_a_file_names_one_that_the_static_pod_mounts(master: Machine) -> None:
    mounted = [volume["mountPath"] for volume in kubeadm.cluster(master)["apiServer"]["extraVolumes"]]
    paths = [value for value in flags(master).values() if value.startswith("/")]
    assert len(paths) == 4
    assert all(any(path.startswith(f"{folder}/") for folder in mounted) for path in paths)


def test_the_file_that_stays_on_the_machine_holds_no_token(master: Machine) -> None:
    assert "bootstrapTokens" not in kubeadm.render(master, LOCAL)
    assert "abcdef.0123456789abcdef" in kubeadm.render(master, LOCAL, "abcdef.0123456789abcdef")


def test_cgroups_are_systemds_on_a_machine_and_ours_only_in_a_container(master: Machine) -> None:
    assert kubelet.render(master, CLOUD)["cgroupDriver"] == "systemd"
    assert "failCgroupV1" not in kubelet.render(master, CLOUD)
    assert kubelet.render(master, LOCAL)["cgroupDriver"] == "cgroupfs"
    assert kubelet.render(master, LOCAL)["failCgroupV1"] is False


def test_workers_are_not_given_what_only_masters_need(master: Machine) -> None:
    uploaded = kubelet.render(master, CLOUD)
    assert not set(kubelet.master_patch()) & set(uploaded)


@pytest.mark.parametrize(
    ("cloud", "zone", "region"),
    [
        ("local", "zone-a", "local"),
        ("aws", "eu-central-1b", "eu-central-1"),
        ("gcp", "europe-west3-c", "europe-west3"),
        ("azure", "westeurope-2", "westeurope"),
    ],
)
def test_nodes_say_their_region_as_their_cloud_names_it(cloud: str, zone: str, region: str) -> None:
    assert kubelet.region(cloud, zone) == region


def test_secrets_are_encrypted_before_etcd_sees_them() -> None:
    first = encryption.render(KEY)["resources"][0]["providers"][0]
    assert first["secretbox"]["keys"][0]["secret"] == KEY


@pytest.mark.parametrize(("key", "complaint"), [("c2hvcnQ=", "5 bytes; it takes 32"), ("no base64!", "not base64")])
def test_a_wrong_encryption_key_is_refused_and_not_shown(key: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint) as raised:
        encryption.render(key)
    assert key not in str(raised.value)


def level(policy: dict[str, Any], **request: str) -> str:
    """The audit level of a request, as the API server finds it: the first rule that matches."""
    for rule in policy["rules"]:
        resources = [(entry["group"], name) for entry in rule.get("resources", ()) for name in entry["resources"]]
        matches = (
            (not resources or (request.get("group", ""), request.get("resource")) in resources)
            and ("verbs" not in rule or request["verb"] in rule["verbs"])
            and ("users" not in rule or request["user"] in rule["users"])
            and ("userGroups" not in rule or request.get("userGroup") in rule["userGroups"])
            and "nonResourceURLs" not in rule
        )
        if matches:
            return str(rule["level"])
    return "None"


@pytest.mark.parametrize("user", ["alice", *audit.CONTROL_PLANE])
@pytest.mark.parametrize("verb", ["get", "create", "delete"])
def test_whoever_touches_a_secret_is_in_the_audit_log_and_its_content_is_not(user: str, verb: str) -> None:
    assert level(audit.render(), user=user, verb=verb, resource="secrets") == "Metadata"


def test_heartbeats_are_not_in_the_audit_log() -> None:
    lease = {"group": "coordination.k8s.io", "resource": "leases"}
    assert level(audit.render(), user="system:node:m", verb="update", **lease) == "None"


@pytest.mark.parametrize("scenario", ["production", "critical"])
def test_losing_any_one_zone_leaves_a_dns_server(scenario: str) -> None:
    spec = addons.dns_patch(STACKS[scenario].kubernetes)["spec"]
    required = spec["template"]["spec"]["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert spec["replicas"] == 2
    assert [term["topologyKey"] for term in required] == ["topology.kubernetes.io/zone"]


@pytest.mark.parametrize("scenario", ["development", "production", "critical"])
def test_a_dns_server_that_serves_is_ready_within_a_second_and_no_sooner_out_of_service_than_kubeadms(
    scenario: str,
) -> None:
    containers = addons.dns_patch(STACKS[scenario].kubernetes)["spec"]["template"]["spec"]["containers"]
    probe = next(one for one in containers if one["name"] == "coredns")["readinessProbe"]
    assert probe["periodSeconds"] == 1
    assert probe["periodSeconds"] * probe["failureThreshold"] == 30


def test_the_only_dns_server_of_development_can_be_drained() -> None:
    kubernetes = STACKS["development"].kubernetes
    spec = addons.dns_patch(kubernetes)["spec"]
    assert spec["replicas"] == 1
    assert "affinity" not in spec["template"]["spec"]
    assert addons.manifests(kubernetes)[0]["spec"]["maxUnavailable"] == 1


def test_rendering_is_json_that_says_the_same_twice(master: Machine) -> None:
    first, second = kubeadm.render(master, LOCAL), kubeadm.render(master, LOCAL)
    assert first == second
    assert [json.loads(part)["kind"] for part in first.split("---\n")] == [
        "InitConfiguration",
        "ClusterConfiguration",
        "KubeletConfiguration",
        "KubeProxyConfiguration",
    ]
