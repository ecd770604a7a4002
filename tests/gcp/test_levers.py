"""Every GKE stack of the repository pulls the levers of its scenario, as the program asks for them."""

from datetime import timedelta
from typing import Any

import pulumi
import pytest
import yaml

from components.gcp.levers import LEVERS
from components.gcp.managed import CLUSTER_LABEL
from components.gcp.regions import REGIONS
from tests.gcp.stacks import NAMES, PROJECT, Gcp, asked, built, of, register, the
from tests.program.recorder import build
from tests.program.stacks import program, settings_of

LASTING = ("small-gke", "prod-gke")
ZONES = ["europe-west1-b", "europe-west1-c", "europe-west1-d"]
SYSTEM = ["SYSTEM_COMPONENTS", "APISERVER"]
PLANE = [*SYSTEM, "SCHEDULER", "CONTROLLER_MANAGER"]


def cluster(stack: str) -> dict[str, Any]:
    """What a stack asks of its cluster."""
    (inputs,) = (inputs for kind, _, inputs in asked(stack) if kind.endswith(":Cluster"))
    return inputs


def value(inputs: Any, path: str) -> Any:
    for part in path.split("."):
        inputs = inputs[int(part)] if part.isdigit() else inputs.get(part)
        if inputs is None:
            return None
    return inputs


@pytest.mark.parametrize(
    ("lever", "dev", "small", "prod"),
    [
        ("location", "europe-west1-b", "europe-west1", "europe-west1"),
        ("nodeLocations", None, ZONES, ZONES),
        ("releaseChannel.channel", "REGULAR", "REGULAR", "STABLE"),
        ("loggingConfig.enableComponents", SYSTEM, [*PLANE, "WORKLOADS"], [*PLANE, "WORKLOADS"]),
        ("monitoringConfig.managedPrometheus.enabled", True, True, True),
        ("maintenancePolicy.recurringWindow.recurrence", *["FREQ=WEEKLY;BYDAY=SA,SU"] * 3),
        ("maintenancePolicy.maintenanceExclusions.0.exclusionOptions.scope", None, None, "NO_MINOR_UPGRADES"),
        ("maintenancePolicy.disruptionBudget.minorVersionDisruptionInterval", None, "2592000s", "2592000s"),
        ("privateClusterConfig.enablePrivateNodes", True, True, True),
        ("privateClusterConfig.enablePrivateEndpoint", True, True, True),
        ("privateClusterConfig.masterGlobalAccessConfig.enabled", False, False, True),
        ("controlPlaneEndpointsConfig.dnsEndpointConfig.allowExternalTraffic", False, False, False),
        ("masterAuthorizedNetworksConfig.privateEndpointEnforcementEnabled", True, True, True),
        ("masterAuthorizedNetworksConfig.gcpPublicCidrsAccessEnabled", False, False, False),
        ("masterAuth.clientCertificateConfig.issueClientCertificate", False, False, False),
        ("anonymousAuthenticationConfig.mode", "LIMITED", "LIMITED", "LIMITED"),
        ("databaseEncryption.state", "ENCRYPTED", "ENCRYPTED", "ENCRYPTED"),
        ("enableShieldedNodes", True, True, True),
        ("enableLegacyAbac", False, False, False),
        ("workloadIdentityConfig.workloadPool", *[f"{PROJECT}.svc.id.goog"] * 3),
        ("datapathProvider", "ADVANCED_DATAPATH", "ADVANCED_DATAPATH", "ADVANCED_DATAPATH"),
        ("dnsConfig.clusterDns", None, "CLOUD_DNS", "CLOUD_DNS"),
        ("addonsConfig.gkeBackupAgentConfig.enabled", True, True, True),
        ("deletionProtection", False, True, True),
    ],
)
def test_a_cluster_has_the_levers_of_its_scenario(lever: str, dev: Any, small: Any, prod: Any) -> None:
    assert [value(cluster(stack), lever) for stack in NAMES] == [dev, small, prod]


@pytest.mark.parametrize("stack", LASTING)
def test_metrics_of_the_whole_control_plane_are_collected(stack: str) -> None:
    assert set(PLANE) < set(value(cluster(stack), "monitoringConfig.enableComponents"))


@pytest.mark.parametrize(
    ("lever", "dev", "small", "prod"),
    [
        ("nodeLocations", ZONES[:1], ZONES, ZONES),
        ("nodeCount", 1, 1, 1),
        ("management.autoRepair", True, True, True),
        ("management.autoUpgrade", True, True, True),
        ("upgradeSettings.strategy", "SURGE", "SURGE", "SURGE"),
        ("upgradeSettings.maxSurge", 1, 1, 1),
        ("upgradeSettings.maxUnavailable", 0, 0, 0),
        ("networkConfig.enablePrivateNodes", True, True, True),
        ("nodeConfig.machineType", "e2-standard-2", "e2-standard-4", "n2d-standard-4"),
        ("nodeConfig.spot", True, False, False),
        ("nodeConfig.shieldedInstanceConfig.enableSecureBoot", True, True, True),
        ("nodeConfig.workloadMetadataConfig.mode", "GKE_METADATA", "GKE_METADATA", "GKE_METADATA"),
        ("nodeConfig.taints", None, None, None),
    ],
)
def test_nodes_for_workloads_have_the_levers_of_their_scenario(lever: str, dev: Any, small: Any, prod: Any) -> None:
    pools = [of(stack, "container.NodePool")[f"{stack}-nodes"].inputs for stack in NAMES]
    assert [value(pool, lever) for pool in pools] == [dev, small, prod]


@pytest.mark.parametrize("stack", NAMES)
def test_disks_and_secrets_are_under_the_stacks_own_key(stack: str) -> None:
    key = of(stack, "kms.CryptoKey")[stack]
    identity = f"projects/{PROJECT}/locations/europe-west1/keyRings/{stack}/cryptoKeys/{stack}"
    assert value(cluster(stack), "databaseEncryption.keyName") == identity
    for pool in of(stack, "container.NodePool").values():
        assert value(pool.inputs, "nodeConfig.bootDiskKmsKey") == (identity if stack in LASTING else None)
    assert key.protect
    assert key.inputs["rotationPeriod"] == "7776000s"
    assert key.retain_on_delete is (stack in LASTING)


@pytest.mark.parametrize("stack", NAMES)
def test_a_key_is_used_by_those_who_encrypt_and_nobody_else(stack: str) -> None:
    users = {
        found.inputs["member"].split("@")[1].split(".")[0] for found in of(stack, "kms.CryptoKeyIAMMember").values()
    }
    assert users == {"container-engine-robot", "compute-system", "gcp-sa-gkebackup"}


def test_only_a_critical_cluster_keeps_its_add_ons_on_nodes_of_their_own() -> None:
    assert [len(of(stack, "container.NodePool")) for stack in NAMES] == [1, 1, 2]
    system = of("prod-gke", "container.NodePool")["prod-gke-system"].inputs
    assert system["nodeLocations"] == ZONES
    assert [taint["effect"] for taint in system["nodeConfig"]["taints"]] == ["NO_EXECUTE"]
    assert system["nodeConfig"]["labels"] == {system["nodeConfig"]["taints"][0]["key"]: "true"}


@pytest.mark.parametrize(
    ("stack", "plans"),
    [
        ("dev-gke", {"daily": ("europe-west1", "0 3 * * *", 7, 0, False)}),
        ("small-gke", {"near": ("europe-west1", "0 */6 * * *", 30, 0, False)}),
        (
            "prod-gke",
            {"near": ("europe-west1", "0 * * * *", 14, 14, True), "far": ("europe-west4", "0 3 * * *", 90, 90, True)},
        ),
    ],
)
def test_backups_have_the_pace_life_lock_and_place_of_the_scenario(stack: str, plans: dict[str, Any]) -> None:
    found = {}
    for name, plan in of(stack, "gkebackup.BackupPlan").items():
        kept = plan.inputs["retentionPolicy"]
        found[name.removeprefix(f"{stack}-")] = (
            plan.inputs["location"],
            plan.inputs["backupSchedule"]["cronSchedule"],
            kept["backupRetainDays"],
            kept["backupDeleteLockDays"],
            kept["locked"],
        )
        scope = plan.inputs["backupConfig"]
        assert scope["allNamespaces"] and scope["includeSecrets"] and scope["includeVolumeData"]
        assert scope["encryptionKey"]["gcpKmsEncryptionKey"].split("/")[3] == plan.inputs["location"]
        assert (plan.protect, plan.retain_on_delete) == (stack in LASTING, stack in LASTING)
    assert found == plans


def test_no_tier_is_kept_longer_than_google_takes() -> None:
    tiers = [tier for levers in LEVERS.values() for tier in levers.backups]
    assert all(tier.keep <= 360 * tier.every for tier in tiers)
    assert all(tier.keep <= timedelta(days=90) for tier in tiers if tier.locked)


def test_every_region_has_another_for_what_outlives_it() -> None:
    from components.gcp.backups import FAR_REGIONS

    assert set(FAR_REGIONS) == set(REGIONS)
    assert all(far in REGIONS and far != region for region, far in FAR_REGIONS.items())


@pytest.mark.parametrize(("hours", "schedule"), [(1, "0 * * * *"), (6, "0 */6 * * *"), (24, "0 3 * * *")])
def test_a_schedule_is_of_whole_hours(hours: int, schedule: str) -> None:
    from components.gcp.backups import cron

    assert cron(timedelta(hours=hours)) == schedule


@pytest.mark.parametrize("stack", NAMES)
def test_alarms_reach_a_topic_and_name_the_cluster(stack: str) -> None:
    policies = of(stack, "monitoring.AlertPolicy")
    told = {"errors", "latency", "silence", "nodes", "backups"} | ({"pending"} if stack in LASTING else set())
    assert {name.removeprefix(f"{stack}-") for name in policies} == told
    (channel,) = of(stack, "monitoring.NotificationChannel").values()
    assert channel.inputs["labels"] == {"topic": f"projects/{PROJECT}/topics/{stack}"}
    for policy in policies.values():
        assert policy.inputs["notificationChannels"] == [channel.inputs["name"]]
        for condition in policy.inputs["conditions"]:
            query = value(condition, "conditionPrometheusQueryLanguage.query")
            assert query is None or f'"{stack}"' in query


@pytest.mark.parametrize(("stack", "nodes"), [("dev-gke", 1), ("small-gke", 3), ("prod-gke", 6)])
def test_an_alarm_knows_how_many_nodes_there_should_be(stack: str, nodes: int) -> None:
    policy = of(stack, "monitoring.AlertPolicy")[f"{stack}-nodes"].inputs
    assert value(policy, "conditions.0.conditionPrometheusQueryLanguage.query").endswith(f" < {nodes}")


@pytest.mark.parametrize("stack", NAMES)
def test_nothing_is_public(stack: str) -> None:
    assert value(cluster(stack), "masterAuthorizedNetworksConfig.cidrBlocks") == [
        {"displayName": "network", "cidrBlock": "10.77.0.0/16"}
    ]
    text = str(asked(stack))
    assert "0.0.0.0/0" not in text
    assert "allUsers" not in text
    assert "allAuthenticatedUsers" not in text
    assert not of(stack, "compute.Address")


def test_an_endpoint_is_public_only_for_the_ranges_that_the_stack_names() -> None:
    settings = settings_of("small-gke", loadBalancer={"public": True, "cidrs": ["203.0.113.0/24"]})
    found = the(register("small-gke", settings), "container.Cluster")
    assert value(found, "privateClusterConfig.enablePrivateEndpoint") is False
    assert value(found, "privateClusterConfig.enablePrivateNodes") is True
    blocks = value(found, "masterAuthorizedNetworksConfig.cidrBlocks")
    assert [block["cidrBlock"] for block in blocks] == ["10.77.0.0/16", "203.0.113.0/24"]


LABELLED = {
    "container.Cluster": "resourceLabels",
    "container.NodePool": "nodeConfig.resourceLabels",
    "monitoring.AlertPolicy": "userLabels",
    "monitoring.NotificationChannel": "userLabels",
}
"""Types that the provider's default labels do not reach → where theirs are."""


@pytest.mark.parametrize("stack", NAMES)
def test_everything_that_takes_labels_has_them(stack: str) -> None:
    (provider,) = (found for found in built(stack) if found.type == "pulumi:providers:gcp")
    assert '"kube-ha-cluster": "' + stack in str(provider.inputs["defaultLabels"]).replace("'", '"')
    for kind, path in LABELLED.items():
        assert all(value(found.inputs, path) == {CLUSTER_LABEL: stack} for found in of(stack, kind).values()), kind
    ours = [found for found in built(stack) if found.type.startswith("gcp:")]
    assert all(f"$pulumi:providers:gcp::{stack}::" in found.provider for found in ours)


@pytest.mark.parametrize("stack", NAMES)
def test_nodes_may_do_what_a_node_must_and_nothing_else(stack: str) -> None:
    roles = {found.inputs["role"] for found in of(stack, "projects.IAMMember").values()}
    assert roles == {"roles/container.defaultNodeServiceAccount", "roles/artifactregistry.reader"}


def test_administrators_are_those_that_the_stack_names() -> None:
    settings = settings_of("small-gke", administrators=["group:oncall@example.com"])
    members = [found for found in register("small-gke", settings) if found.type.endswith(":IAMMember")]
    assert [one.inputs["member"] for one in members if one.inputs["role"] == "roles/container.admin"] == [
        "group:oncall@example.com"
    ]


def test_nodes_are_of_the_type_and_number_that_the_stack_says() -> None:
    settings = settings_of("small-gke", nodes={"type": "c3-standard-8", "perZone": 2})
    pool = the(register("small-gke", settings), "container.NodePool")
    assert (pool["nodeConfig"]["machineType"], pool["nodeCount"]) == ("c3-standard-8", 2)


def test_a_cluster_is_of_the_version_that_the_stack_says_and_else_of_googles_choice() -> None:
    assert "minMasterVersion" not in cluster("small-gke")
    settings = settings_of("small-gke", kubernetesVersion="1.36")
    assert the(register("small-gke", settings), "container.Cluster")["minMasterVersion"] == "1.36"


def test_a_kubeconfig_holds_no_credential_but_the_way_to_one() -> None:
    (plane,) = (found for found in built("prod-gke") if found.type.endswith(":ControlPlane"))
    read = yaml.safe_load(plane.outputs["kubeconfig"])
    assert read["clusters"][0]["cluster"]["server"] == plane.outputs["endpoint"]
    assert list(read["users"][0]["user"]) == ["exec"]
    assert read["users"][0]["user"]["exec"]["command"] == "gke-gcloud-auth-plugin"


@pytest.mark.parametrize("stack", NAMES)
def test_a_preview_of_a_project_where_nothing_is_yet_registers_as_much(stack: str) -> None:
    shown = register(stack, settings_of(stack), preview=True)
    assert sorted((one.type, one.name) for one in shown) == sorted((one.type, one.name) for one in built(stack))


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"zones": ["europe-west1-b", "europe-west1-c"]}, "kube-ha:zones: 2 .* needs 3"),
        ({"zones": ["europe-west1-a"]}, "europe-west1 has no europe-west1-a"),
        ({"region": "europe-west99"}, "region: got 'europe-west99'; accepted on gcp"),
        ({"loadBalancer": {"public": True}}, "public without cidrs"),
        ({"kubernetesVersion": "1.20"}, "the oldest is"),
        ({"masters": 3}, "masters: a managed control plane of cloud gcp has no such choice"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_made(said: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        _ = settings_of("small-gke", **said).topology


def test_an_administrator_that_iam_cannot_know_is_refused_before_anything_is_made() -> None:
    with pytest.raises(pulumi.RunError, match=r"kube-ha:administrators: got 'ann@example\.com'"):
        register("small-gke", settings_of("small-gke", administrators=["ann@example.com"]))


def test_a_stack_without_a_project_says_how_to_name_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GOOGLE_PROJECT", "GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(pulumi.RunError, match=r"gcp:project: missing; .*pulumi config set gcp:project"):
        build(lambda: program("small-gke", settings_of("small-gke")), "small-gke", mocks=Gcp())
