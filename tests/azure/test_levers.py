"""Every AKS stack of the repository pulls the levers of its scenario, as the program asks for them."""

from dataclasses import fields
from importlib import import_module
from inspect import signature
from ipaddress import IPv4Network
from typing import Any

import pulumi
import pytest

from components.azure.levers import ALWAYS, LEVERS, WORTH, BackupPlan, Levers
from components.clouds import Cloud
from components.managed import PLANES
from components.settings import SettingsError
from providers.azure_native.lookups import SUBSCRIPTION
from tests.azure.stacks import HIGHLY_AVAILABLE, NAMES, Azure, ask, asked, built, cluster, covered, inputs, of, register
from tests.program.recorder import build
from tests.program.stacks import program, settings_of

ZONES = ["1", "2", "3"]
GROUP = "6f1d8f0c-0b5e-4a53-9a29-0c2d1b3e4f50"


def value(given: Any, path: str) -> Any:
    for part in path.split("."):
        given = given[int(part)] if part.isdigit() else given.get(part)
        if given is None:
            return None
    return given


def same(wanted: Any) -> list[Any]:
    return [wanted] * len(NAMES)


@pytest.mark.parametrize(
    ("lever", "values"),
    [
        ("sku.tier", ["Free", "Standard", "Standard"]),
        ("supportPlan", same("KubernetesOfficial")),
        ("agentPoolProfiles.0.mode", same("System")),
        ("agentPoolProfiles.0.availabilityZones", [["1"], ZONES, ZONES]),
        ("agentPoolProfiles.0.count", [1, 3, 3]),
        ("agentPoolProfiles.0.vmSize", ["Standard_D2ds_v5", "Standard_D4ds_v5", "Standard_D4ds_v5"]),
        ("agentPoolProfiles.0.nodeTaints", [[], *[["CriticalAddonsOnly=true:NoSchedule"]] * 2]),
        ("agentPoolProfiles.0.enableNodePublicIP", same(False)),
        ("agentPoolProfiles.0.upgradeSettings.maxSurge", same("1")),
        ("agentPoolProfiles.0.upgradeSettings.maxUnavailable", same("0")),
        ("agentPoolProfiles.0.upgradeSettings.undrainableNodeBehavior", same("Cordon")),
        ("networkProfile.loadBalancerSku", same("standard")),
        ("networkProfile.outboundType", same("loadBalancer")),
        ("networkProfile.networkPolicy", same("cilium")),
        ("apiServerAccessProfile.enablePrivateCluster", same(True)),
        ("apiServerAccessProfile.enablePrivateClusterPublicFQDN", same(False)),
        ("apiServerAccessProfile.enableVnetIntegration", same(True)),
        ("apiServerAccessProfile.disableRunCommand", [False, True, True]),
        ("apiServerAccessProfile.authorizedIPRanges", same(None)),
        ("disableLocalAccounts", same(True)),
        ("enableRBAC", same(True)),
        ("aadProfile.managed", same(True)),
        ("aadProfile.enableAzureRBAC", same(True)),
        ("securityProfile.workloadIdentity.enabled", same(True)),
        ("oidcIssuerProfile.enabled", same(True)),
        ("securityProfile.azureKeyVaultKms.enabled", [None, True, True]),
        ("securityProfile.azureKeyVaultKms.keyVaultNetworkAccess", [None, "Private", "Private"]),
        ("autoUpgradeProfile.upgradeChannel", same("stable")),
        ("autoUpgradeProfile.nodeOSUpgradeChannel", same("NodeImage")),
        ("azureMonitorProfile.metrics.enabled", [None, True, True]),
        ("addonProfiles.omsagent.enabled", [None, True, True]),
    ],
)
def test_a_cluster_has_the_levers_of_its_scenario(lever: str, values: list[Any]) -> None:
    assert [value(cluster(stack), lever) for stack in NAMES] == values


@pytest.mark.parametrize("stack", HIGHLY_AVAILABLE)
def test_workloads_have_a_pool_in_each_zone(stack: str) -> None:
    pools = of(stack, "containerservice:AgentPool").values()
    assert sorted(pool["availabilityZones"] for pool in pools) == [["1"], ["2"], ["3"]]
    for pool in pools:
        assert (pool["mode"], pool["count"], pool["nodeTaints"]) == ("User", 1, [])
        assert pool["enableNodePublicIP"] is False


def test_development_has_one_pool_for_everything() -> None:
    assert not of("dev-aks", "containerservice:AgentPool")


def test_nodes_are_as_many_in_each_zone_and_of_the_type_that_the_stack_says() -> None:
    found = ask("small-aks", nodes={"perZone": 2, "type": "Standard_D8ds_v5"}, zones=["1", "2", "3"])
    pools = inputs(found, "containerservice:AgentPool").values()
    assert [(pool["count"], pool["vmSize"]) for pool in pools] == [(2, "Standard_D8ds_v5")] * 3


@pytest.mark.parametrize("stack", NAMES)
def test_upgrades_and_node_images_have_a_window_each(stack: str) -> None:
    windows = {
        one["configName"]: one["maintenanceWindow"]
        for one in of(stack, "containerservice:MaintenanceConfiguration").values()
    }
    assert set(windows) == {"aksManagedAutoUpgradeSchedule", "aksManagedNodeOSUpgradeSchedule"}
    assert len({window["schedule"]["weekly"]["dayOfWeek"] for window in windows.values()}) == 2
    assert {(window["startTime"], window["durationHours"]) for window in windows.values()} == {("02:00", 4)}


def test_a_stack_that_names_its_version_stays_on_it_and_gets_patches() -> None:
    named = cluster("prod-aks", kubernetesVersion="1.35")
    assert named["kubernetesVersion"] == "1.35"
    assert named["autoUpgradeProfile"]["upgradeChannel"] == "patch"
    assert "kubernetesVersion" not in cluster("prod-aks")


def test_a_public_endpoint_is_for_the_named_ranges_only_and_nodes_stay_private() -> None:
    public = {"public": True, "cidrs": ["203.0.113.0/24"]}
    access = cluster("prod-aks", loadBalancer=public)["apiServerAccessProfile"]
    assert access["authorizedIPRanges"] == ["203.0.113.0/24"]
    assert access["enablePrivateCluster"] is False
    assert access["enableVnetIntegration"] is True


def test_administrators_are_groups_of_the_directory() -> None:
    assert cluster("prod-aks", administrators=[GROUP])["aadProfile"]["adminGroupObjectIDs"] == [GROUP]


def test_an_administrator_that_is_no_object_id_is_refused_before_anything_is_made() -> None:
    settings = settings_of("prod-aks", administrators=["ops@example.com"])
    cloud = Azure()
    with pytest.raises(
        pulumi.RunError, match=r"kube-ha:administrators: got 'ops@example.com'; AKS takes the object IDs"
    ):
        register("prod-aks", settings, cloud=cloud)
    assert not cloud.asked


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"region": "northcentralus"}, r"kube-ha:region: got 'northcentralus'; accepted on azure"),
        ({"region": "qatarcentral"}, r"kube-ha:region: got 'qatarcentral'; accepted on azure"),
        ({"loadBalancer": {"public": True}}, r"public without cidrs"),
        ({"kubernetesVersion": "1.20"}, r"makes no cluster of it any more"),
        ({"controlPlane": "self-managed"}, r"cloud azure has managed only"),
        ({"masters": 3}, r"masters: a managed control plane of cloud azure has no such choice"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_made(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        settings_of("prod-aks", **changes)


def test_fewer_zones_than_the_scenario_needs_are_refused() -> None:
    with pytest.raises(ValueError, match="Name 3 or more zones"):
        _ = settings_of("prod-aks", zones=["1", "2"]).topology


@pytest.mark.parametrize("stack", HIGHLY_AVAILABLE)
def test_keys_are_in_a_vault_that_only_azure_and_the_cluster_reach(stack: str) -> None:
    (vault,) = of(stack, "keyvault:Vault").values()
    given = vault["properties"]
    assert (given["publicNetworkAccess"], given["networkAcls"]["defaultAction"]) == ("Disabled", "Deny")
    assert (given["enablePurgeProtection"], given["softDeleteRetentionInDays"]) == (True, 90)
    assert given["enableRbacAuthorization"] is True
    assert set(of(stack, "keyvault:Key")) == {f"{stack}-etcd", *([f"{stack}-disks"] if stack == "prod-aks" else [])}


def test_only_critical_encrypts_disks_under_its_own_key() -> None:
    assert [value(cluster(stack), "diskEncryptionSetID") is not None for stack in NAMES] == [False, False, True]
    (encryption,) = of("prod-aks", "compute:DiskEncryptionSet").values()
    assert encryption["rotationToLatestKeyVersionEnabled"] is True


@pytest.mark.parametrize(
    ("stack", "audit", "days"), [("small-aks", "kube-audit-admin", 30), ("prod-aks", "kube-audit", 90)]
)
def test_the_control_plane_logs_to_a_workspace(stack: str, audit: str, days: int) -> None:
    (setting,) = of(stack, "monitor:DiagnosticSetting").values()
    assert {log["category"] for log in setting["logs"] if log["enabled"]} == {
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
        "cloud-controller-manager",
        "guard",
        audit,
    }
    (workspace,) = of(stack, "operationalinsights:Workspace").values()
    assert workspace["retentionInDays"] == days


@pytest.mark.parametrize("stack", HIGHLY_AVAILABLE)
def test_samples_and_container_insights_reach_their_workspaces(stack: str) -> None:
    rules = of(stack, "monitor:DataCollectionRule")
    associated = {one["dataCollectionRuleId"] for one in of(stack, "monitor:DataCollectionRuleAssociation").values()}
    ids = {one.identity for one in asked(stack) if one.type == "monitor:DataCollectionRule"}
    assert len(rules) == 2
    assert associated == ids
    for rule in rules.values():
        (flow,) = rule["dataFlows"]
        names = {one["name"] for found in rule["destinations"].values() for one in found}
        assert set(flow["destinations"]) == names


@pytest.mark.parametrize("stack", NAMES)
def test_every_alert_tells_the_subscriptions_owners(stack: str) -> None:
    from components.azure.roles import Role

    (group,) = (one for one in asked(stack) if one.type == "monitor:ActionGroup")
    assert [receiver["roleId"] for receiver in group.inputs["armRoleReceivers"]] == [Role.OWNER]
    alerts = of(stack, "monitor:MetricAlert").values()
    assert {alert["criteria"]["allOf"][0]["metricName"] for alert in alerts} == {
        "apiserver_cpu_usage_percentage",
        "apiserver_memory_usage_percentage",
        "etcd_database_usage_percentage",
        "kube_node_status_condition",
    }
    assert all(alert["actions"] == [{"actionGroupId": group.identity}] for alert in alerts)
    for rules in of(stack, "alertsmanagement:PrometheusRuleGroup").values():
        assert all(rule["actions"] == [{"actionGroupId": group.identity}] for rule in rules["rules"])


@pytest.mark.parametrize("stack", NAMES)
def test_an_alert_says_when_auto_repair_did_not_help(stack: str) -> None:
    alert = of(stack, "monitor:MetricAlert")[f"{stack}-node-not-repaired"]
    (criterion,) = alert["criteria"]["allOf"]
    assert {"name": "status2", "operator": "Include", "values": ["NotReady"]} in criterion["dimensions"]
    assert alert["windowSize"] == "PT30M"  # longer than the ten minutes after which AKS begins


@pytest.mark.parametrize(("stack", "interval", "days"), [("small-aks", "P1D", 30), ("prod-aks", "PT4H", 90)])
def test_backups_have_the_pace_and_life_of_the_scenario(stack: str, interval: str, days: int) -> None:
    (policy,) = of(stack, "dataprotection:BackupPolicy").values()
    schedule, life = policy["properties"]["policyRules"]
    (times,) = schedule["trigger"]["schedule"]["repeatingTimeIntervals"]
    assert times.endswith(f"/{interval}")
    assert life["lifecycles"][0]["deleteAfter"]["duration"] == f"P{days}D"


@pytest.mark.parametrize("stack", HIGHLY_AVAILABLE)
def test_backups_are_private_versioned_and_over_zones(stack: str) -> None:
    (account,) = of(stack, "storage:StorageAccount").values()
    assert account["sku"]["name"] == "Standard_ZRS"
    assert account["networkRuleSet"]["defaultAction"] == "Deny"
    flags = ("allowBlobPublicAccess", "allowSharedKeyAccess", "allowCrossTenantReplication", "enableHttpsTrafficOnly")
    assert [account[flag] for flag in flags] == [False, False, False, True]
    (service,) = of(stack, "storage:BlobServiceProperties").values()
    assert service["isVersioningEnabled"] is True
    (vault,) = of(stack, "dataprotection:BackupVault").values()
    assert vault["properties"]["storageSettings"][0]["type"] == "ZoneRedundant"


@pytest.mark.parametrize("stack", NAMES)
def test_what_a_restore_needs_outlives_the_stack(stack: str) -> None:
    kept = {one.type.removeprefix("azure-native:") for one in built(stack) if one.retain_on_delete}
    lasting = {"keyvault:Vault", "keyvault:Key", "dataprotection:BackupVault", "dataprotection:BackupInstance"}
    assert kept >= lasting if stack in HIGHLY_AVAILABLE else not kept
    (itself,) = (one for one in built(stack) if one.type.endswith(":ManagedCluster"))
    assert itself.protect


@pytest.mark.parametrize("stack", HIGHLY_AVAILABLE)
def test_no_role_is_handed_out_on_more_than_one_resource_or_the_group_of_snapshots(stack: str) -> None:
    from components.azure.roles import Role

    groups = {one.identity: one.name for one in asked(stack) if one.type == "resources:ResourceGroup"}
    for name, assignment in of(stack, "authorization:RoleAssignment").items():
        assert assignment["principalType"] == "ServicePrincipal"
        assert assignment["scope"].count("/") > 2, name
        if assignment["scope"] in groups:
            assert groups[assignment["scope"]] == f"{stack}-snapshots"
        assert assignment["roleDefinitionId"].startswith(f"/subscriptions/{SUBSCRIPTION}/providers/")
        assert Role.OWNER not in assignment["roleDefinitionId"]


@pytest.mark.parametrize("stack", NAMES)
def test_everything_that_can_carry_tags_carries_them(stack: str) -> None:
    for one in ask(stack, tags={"team": "platform"}):
        module, kind = one.type.split(":")
        parameters = signature(getattr(import_module(f"pulumi_azure_native.{module}"), kind)._internal_init).parameters
        if "tags" in parameters:
            assert one.inputs.get("tags") == {"team": "platform", "kube-ha:cluster": stack}, one.name
    for pool in cluster(stack)["agentPoolProfiles"]:
        assert pool["tags"] == {"kube-ha:cluster": stack}


@pytest.mark.parametrize("stack", NAMES)
def test_subnets_are_apart_and_within_the_stacks_range(stack: str) -> None:
    from components.azure.network import API_SERVER_PREFIX, parts

    nodes, api_server = parts(settings_of(stack).network.cidr)
    assert not nodes.overlaps(api_server)
    assert api_server.prefixlen == API_SERVER_PREFIX
    for subnet in of(stack, "network:Subnet").values():
        assert IPv4Network(subnet["addressPrefix"]).subnet_of(settings_of(stack).network.cidr)
    delegated = of(stack, "network:Subnet")[f"{stack}-api-server"]["delegations"]
    assert [one["serviceName"] for one in delegated] == ["Microsoft.ContainerService/managedClusters"]


@pytest.mark.parametrize("stack", ["a-stack-with-quite-a-long-name", *NAMES])
def test_names_that_azure_wants_short_are_short(stack: str) -> None:
    cloud = Azure()
    settings = settings_of("prod-aks")
    build(lambda: program(stack, settings), stack, mocks=cloud)
    limits = {"keyvault:Vault": 24, "storage:StorageAccount": 24}
    for one in cloud.asked:
        if one.type in limits:
            assert len(one.identity.rsplit("/", 1)[1]) <= limits[one.type]
            assert one.type == "keyvault:Vault" or one.name.isalnum()
        if one.type == "monitor:ActionGroup":
            assert len(one.inputs["groupShortName"]) <= 12


@pytest.mark.parametrize("stack", NAMES)
def test_azures_own_models_take_every_property_of_every_resource(stack: str) -> None:
    for one in asked(stack):
        kind = covered()[f"azure-native:{one.type}"]
        given = {**({kind.named: "name"} if kind.named else {}), **one.inputs}
        assert list(kind.check(given)) == [], one.name


@pytest.mark.parametrize("stack", NAMES)
def test_a_preview_registers_what_an_update_does(stack: str) -> None:
    preview = register(stack, settings_of(stack), preview=True)
    assert {(one.type, one.name) for one in preview} == {(one.type, one.name) for one in built(stack)}


def test_every_lever_says_what_it_is_worth_and_what_it_costs() -> None:
    assert set(WORTH) == {field.name for field in fields(Levers)}
    assert all(lever.worth and lever.cost for lever in [*WORTH.values(), *ALWAYS.values()])
    assert set(LEVERS) == set(PLANES[Cloud.AZURE])


def test_backups_are_at_times_that_aks_can_be_backed_up_in() -> None:
    plans = [levers.backup for levers in LEVERS.values() if levers.backup]
    assert all(isinstance(plan, BackupPlan) and plan.every_hours in (4, 6, 8, 12, 24) for plan in plans)
