"""Every EKS stack of the repository pulls the levers of its scenario, as the program asks for them."""

import json
from typing import Any

import pulumi
import pytest

from components.aws.levers import ALWAYS
from components.managed_settings import FailoverSettings
from components.settings import Settings
from tests.aws.stacks import Aws, built, of, register
from tests.program.recorder import Registration
from tests.program.stacks import settings_of

NAMES = ("dev-eks", "small-eks", "prod-eks")
LASTING = ("small-eks", "prod-eks")

FAILOVER = {
    "zoneId": "Z08ABC",
    "name": "shop.example.com",
    "role": "primary",
    "target": "shop.elb.eu-west-1.amazonaws.com",
}
PUBLIC = {**FAILOVER, "healthPath": "/healthz"}
PRIVATE = {
    **FAILOVER,
    "role": "secondary",
    "watched": {
        "loadBalancer": "net/shop/50dc6c495c0c9188",
        "targetGroup": "targetgroup/shop/73e2d6bc24d8a067",
    },
}


def with_settings(stack: str, **said: Any) -> Settings:
    settings = settings_of(stack)
    return Settings.model_validate({**settings.model_dump(exclude_unset=True, by_alias=True), **said})


def only(found: list[Registration], kind: str) -> Registration:
    (one,) = (registration for registration in found if registration.type.endswith(f":{kind}") and registration.custom)
    return one


def cluster(stack: str) -> Registration:
    return only(built(stack), "Cluster")


@pytest.mark.parametrize(
    ("lever", "dev", "small", "prod"),
    [
        ("controlPlaneScalingConfig.tier", "standard", "standard", "tier-xl"),
        ("upgradePolicy.supportType", "STANDARD", "STANDARD", "EXTENDED"),
        ("zonalShiftConfig.enabled", False, True, True),
        ("deletionProtection", False, True, True),
        ("vpcConfig.endpointPrivateAccess", True, True, True),
        ("vpcConfig.endpointPublicAccess", False, False, False),
        ("accessConfig.authenticationMode", "API", "API", "API"),
        ("bootstrapSelfManagedAddons", False, False, False),
        ("encryptionConfig.resources", ["secrets"], ["secrets"], ["secrets"]),
        ("kubernetesNetworkConfig.serviceIpv4Cidr", "10.96.0.0/16", "10.96.0.0/16", "10.96.0.0/16"),
    ],
)
def test_a_cluster_has_the_levers_of_its_scenario(lever: str, dev: Any, small: Any, prod: Any) -> None:
    def value(stack: str) -> Any:
        found: Any = cluster(stack).inputs
        for part in lever.split("."):
            found = found[part]
        return found

    assert [value(stack) for stack in NAMES] == [dev, small, prod]


@pytest.mark.parametrize("stack", NAMES)
def test_all_five_logs_are_kept_encrypted_for_the_scenarios_time(stack: str) -> None:
    assert cluster(stack).inputs["enabledClusterLogTypes"] == [
        "api", "audit", "authenticator", "controllerManager", "scheduler",
    ]  # fmt: skip
    logs = of(stack, "cloudwatch.LogGroup")[f"{stack}-control-plane"].inputs
    assert logs["name"] == f"/aws/eks/{stack}/cluster"
    assert logs["retentionInDays"] == {"dev-eks": 7, "small-eks": 30, "prod-eks": 90}[stack]
    assert any("-control-plane" in urn for urn in cluster(stack).dependencies), "EKS would make the group itself"


@pytest.mark.parametrize("stack", NAMES)
def test_control_plane_and_nodes_have_the_zones_of_the_scenario(stack: str) -> None:
    subnets = [f"{stack}-private-{zone}-id" for zone in settings_of(stack).topology.zones]
    assert len(subnets) == (2 if stack == "dev-eks" else 3)
    assert cluster(stack).inputs["vpcConfig"]["subnetIds"] == subnets
    assert only(built(stack), "NodeGroup").inputs["subnetIds"] == subnets


@pytest.mark.parametrize("stack", NAMES)
def test_nodes_repair_themselves_and_change_one_at_a_time(stack: str) -> None:
    nodes = only(built(stack), "NodeGroup").inputs
    count = len(settings_of(stack).topology.zones)
    assert nodes["scalingConfig"] == {"minSize": count, "desiredSize": count, "maxSize": count}
    assert nodes["nodeRepairConfig"] == {"enabled": True}
    assert nodes["updateConfig"] == {"maxUnavailable": 1}
    assert nodes["capacityType"] == "ON_DEMAND"
    assert nodes["amiType"] == "AL2023_x86_64_STANDARD"


def test_nodes_are_of_the_type_and_number_that_the_stack_says() -> None:
    settings = with_settings("small-eks", nodes={"type": "m7g.xlarge", "perZone": 2})
    nodes = only(register("small-eks", settings, aws=Aws(architecture="arm64")), "NodeGroup").inputs
    assert nodes["scalingConfig"]["desiredSize"] == 6
    assert (nodes["instanceTypes"], nodes["amiType"]) == (["m7g.xlarge"], "AL2023_ARM_64_STANDARD")


def test_a_node_with_too_little_memory_is_refused_before_anything_is_made() -> None:
    with pytest.raises(pulumi.RunError, match=r"kube-ha:nodes.type: \S+ has 1024 MiB of memory; a node needs 4096"):
        register("small-eks", settings_of("small-eks"), aws=Aws(memory_mib=1024))


@pytest.mark.parametrize("stack", NAMES)
def test_nodes_ask_for_their_credentials_with_a_token_and_their_disks_are_encrypted(stack: str) -> None:
    (template,) = of(stack, "ec2.LaunchTemplate").values()
    metadata = template.inputs["metadataOptions"]
    assert (metadata["httpTokens"], metadata["httpPutResponseHopLimit"]) == ("required", 1)
    assert "networkInterfaces" not in template.inputs, "no public address"
    (disk,) = template.inputs["blockDeviceMappings"]
    (key,) = of(stack, "kms.Key").values()
    assert (disk["ebs"]["encrypted"], disk["ebs"]["kmsKeyId"]) == ("true", key.inputs["arn"])


@pytest.mark.parametrize("stack", NAMES)
def test_secrets_logs_backups_and_alarms_are_under_the_stacks_own_key(stack: str) -> None:
    (key,) = of(stack, "kms.Key").values()
    arn = key.inputs["arn"]
    assert key.protect
    assert cluster(stack).inputs["encryptionConfig"]["provider"]["keyArn"] == arn
    assert {found.inputs["kmsKeyId"] for found in of(stack, "cloudwatch.LogGroup").values()} == {arn}
    assert {found.inputs["kmsKeyArn"] for found in of(stack, "backup.Vault").values()} == {arn}
    assert {found.inputs["kmsMasterKeyId"] for found in of(stack, "sns.Topic").values()} == {arn}


@pytest.mark.parametrize("stack", NAMES)
def test_nothing_is_public(stack: str) -> None:
    for subnet in of(stack, "ec2.Subnet").values():
        assert subnet.inputs["mapPublicIpOnLaunch"] is False
    for rule in of(stack, "vpc.SecurityGroupIngressRule").values():
        assert rule.inputs["cidrIpv4"] == "10.77.0.0/16"
    assert "publicAccessCidrs" not in cluster(stack).inputs["vpcConfig"]


def test_a_public_endpoint_is_for_the_named_ranges_only() -> None:
    said = {"public": True, "cidrs": ["203.0.113.0/24"]}
    found = register("small-eks", with_settings("small-eks", loadBalancer=said))
    config = only(found, "Cluster").inputs["vpcConfig"]
    assert (config["endpointPublicAccess"], config["publicAccessCidrs"]) == (True, ["203.0.113.0/24"])
    assert config["endpointPrivateAccess"] is True


def test_clients_beside_the_network_reach_a_private_endpoint_too() -> None:
    found = register("small-eks", with_settings("small-eks", loadBalancer={"cidrs": ["10.1.0.0/16"]}))
    rules = [one.inputs for one in found if one.type.endswith(":SecurityGroupIngressRule")]
    assert {rule["cidrIpv4"] for rule in rules} == {"10.77.0.0/16", "10.1.0.0/16"}
    assert {(rule["fromPort"], rule["toPort"]) for rule in rules} == {(443, 443)}
    assert only(found, "Cluster").inputs["vpcConfig"]["endpointPublicAccess"] is False


@pytest.mark.parametrize("stack", NAMES)
def test_nothing_that_nodes_call_needs_the_internet_where_availability_is_the_point(stack: str) -> None:
    called = {found.inputs["serviceName"].removeprefix("com.amazonaws.eu-west-1.") for found in endpoints(stack)}
    asked = {"ecr.api", "ecr.dkr", "s3", "sts", "ec2", "eks", "eks-auth", "logs", "ssm"}
    asked |= {"elasticloadbalancing", "autoscaling"}
    assert called == {"s3"} if stack == "dev-eks" else called >= asked
    assert len(of(stack, "ec2.NatGateway")) == (1 if stack == "dev-eks" else 3)


def endpoints(stack: str) -> list[Registration]:
    return list(of(stack, "ec2.VpcEndpoint").values())


@pytest.mark.parametrize("stack", NAMES)
def test_backups_have_the_scenarios_pace_and_outlive_the_stack(stack: str) -> None:
    (plan,) = of(stack, "backup.Plan").values()
    rules = {rule["schedule"]: rule["lifecycle"]["deleteAfter"] for rule in plan.inputs["rules"]}
    hourly, daily = "cron(0 * ? * * *)", "cron(30 2 ? * * *)"
    assert (
        rules == {"dev-eks": {daily: 7}, "small-eks": {hourly: 7, daily: 30}, "prod-eks": {hourly: 7, daily: 90}}[stack]
    )
    (vault,) = of(stack, "backup.Vault").values()
    assert (vault.protect, vault.retain_on_delete) == (True, stack in LASTING)
    (selection,) = of(stack, "backup.Selection").values()
    assert selection.inputs["resources"] == [cluster(stack).inputs["arn"]]
    locks = [lock.inputs for lock in of(stack, "backup.VaultLockConfiguration").values()]
    assert [(lock["minRetentionDays"], lock["maxRetentionDays"]) for lock in locks] == (
        [(7, 90)] if stack == "prod-eks" else []
    )


@pytest.mark.parametrize("stack", NAMES)
def test_add_ons_come_before_or_after_the_nodes_that_they_need(stack: str) -> None:
    add_ons = of(stack, "eks.Addon")
    nodes = only(built(stack), "NodeGroup")
    before = {"vpc-cni", "kube-proxy", "eks-pod-identity-agent", "eks-node-monitoring-agent"}
    after = {"coredns", "metrics-server", "aws-ebs-csi-driver"}
    after |= {"amazon-cloudwatch-observability"} if stack in LASTING else set()
    assert {add_on.inputs["addonName"] for add_on in add_ons.values()} == before | after
    for add_on in add_ons.values():
        waits = any(urn.endswith(f"::{nodes.name}") for urn in add_on.dependencies)
        assert waits is (add_on.inputs["addonName"] in after), add_on.name
    awaited = {urn.rsplit("::", 1)[1].removeprefix(f"{stack}-") for urn in nodes.dependencies}
    assert before <= awaited
    ways_out = {f"private-{zone}" for zone in settings_of(stack).topology.zones}
    routes = {urn.rsplit("::", 1)[1].removeprefix(f"{stack}-") for urn in nodes.dependencies if ":Route::" in urn}
    assert ways_out <= routes, "a node without a way out does not join"


@pytest.mark.parametrize("stack", NAMES)
def test_names_are_resolved_in_every_zone(stack: str) -> None:
    said = json.loads(of(stack, "eks.Addon")[f"{stack}-coredns"].inputs["configurationValues"])
    assert said["replicaCount"] == len(settings_of(stack).topology.zones)
    assert said["podDisruptionBudget"] == {"enabled": True, "maxUnavailable": 1}
    assert said["topologySpreadConstraints"][0]["topologyKey"] == "topology.kubernetes.io/zone"
    terms = said["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert terms[0]["podAffinityTerm"]["topologyKey"] == "topology.kubernetes.io/zone"


@pytest.mark.parametrize("stack", NAMES)
def test_somebody_hears_what_goes_wrong(stack: str) -> None:
    (topic,) = of(stack, "sns.Topic").values()
    alarms = {
        name.removeprefix(f"{stack}-"): alarm.inputs for name, alarm in of(stack, "cloudwatch.MetricAlarm").items()
    }
    usual = {"silent", "errors", "storage", "unschedulable"}
    assert set(alarms) == usual | ({"nodes", "backup"} if stack in LASTING else set())
    assert all(alarm["alarmActions"] == [topic.inputs["arn"]] for alarm in alarms.values())
    assert alarms["silent"]["treatMissingData"] == "breaching"
    if stack in LASTING:
        assert alarms["nodes"]["threshold"] == 3
        assert alarms["backup"]["period"] == 7200


def test_administrators_are_named_and_nobody_else_is() -> None:
    assert not of("prod-eks", "eks.AccessEntry")
    who = "arn:aws:iam::123456789012:role/admin"
    found = register("prod-eks", with_settings("prod-eks", administrators=[who]))
    assert only(found, "AccessEntry").inputs["principalArn"] == who
    association = only(found, "AccessPolicyAssociation").inputs
    assert association["policyArn"] == "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
    assert association["accessScope"] == {"type": "cluster"}


def test_an_administrator_that_iam_does_not_know_is_refused() -> None:
    with pytest.raises(pulumi.RunError, match=r"kube-ha:administrators: got 'ops@example.com'; EKS takes ARNs of IAM"):
        register("prod-eks", with_settings("prod-eks", administrators=["ops@example.com"]))


def test_a_version_is_asked_for_only_when_it_is_named() -> None:
    assert "version" not in cluster("prod-eks").inputs
    found = register("prod-eks", with_settings("prod-eks", kubernetesVersion="1.36"))
    assert only(found, "Cluster").inputs["version"] == "1.36"


@pytest.mark.parametrize(("failover", "seconds"), [(PUBLIC, 60), (PRIVATE, 90)])
def test_a_name_moves_to_the_other_cluster_in_the_time_that_is_declared(failover: Any, seconds: int) -> None:
    found = register("small-eks", with_settings("small-eks", dns={"failover": failover}))
    record = only(found, "Record").inputs
    assert record["failoverRoutingPolicies"] == [{"type": failover["role"].upper()}]
    assert (record["name"], record["records"]) == ("shop.example.com", ["shop.elb.eu-west-1.amazonaws.com"])
    check = only(found, "HealthCheck").inputs
    if "healthPath" in failover:
        assert (check["type"], check["resourcePath"]) == ("HTTPS", "/healthz")
        noticed = check["requestInterval"] * check["failureThreshold"]
    else:
        assert (check["type"], check["insufficientDataHealthStatus"]) == ("CLOUDWATCH_METRIC", "Unhealthy")
        (alarm,) = (one.inputs for one in found if one.name == "small-eks-failover" and "metricName" in one.inputs)
        assert alarm["dimensions"] == {
            "LoadBalancer": "net/shop/50dc6c495c0c9188",
            "TargetGroup": "targetgroup/shop/73e2d6bc24d8a067",
        }
        noticed = alarm["period"] * alarm["evaluationPeriods"]
    (component,) = (one for one in found if one.type == "kube-ha:aws:DnsFailover")
    assert component.inputs["failoverSeconds"] == noticed + record["ttl"] == seconds


@pytest.mark.parametrize("stack", NAMES)
def test_a_cluster_that_lasts_cannot_be_deleted_by_mistake(stack: str) -> None:
    assert cluster(stack).protect is (stack in LASTING)


@pytest.mark.parametrize("stack", NAMES)
def test_a_preview_knows_every_resource_although_values_are_unknown(stack: str) -> None:
    previewed = {
        (found.type, found.name) for found in register(stack, settings_of(stack), preview=True) if found.custom
    }
    assert previewed == {(found.type, found.name) for found in built(stack) if found.custom}


@pytest.mark.parametrize("failover", [PUBLIC, PRIVATE])
def test_the_times_of_a_failover_that_are_written_down_are_those_that_are_computed(failover: Any) -> None:
    from components.aws.dns_failover import failover_seconds

    seconds = failover_seconds(FailoverSettings.model_validate(failover))
    assert f"{seconds} s" in ALWAYS["DNS failover"].worth
