"""Every AWS stack of the repository keeps the promises of the design, as the program asks for it."""

import inspect
import json
from collections import Counter
from datetime import UTC, datetime
from importlib import import_module
from ipaddress import ip_address, ip_network
from typing import Any

import pulumi
import pytest

from components.aws import policies, security_groups
from components.node.agent import status
from components.node.agent.clouds import aws as agent
from components.node.snapshots import Snapshot, SnapshotKeys
from components.self_managed_settings import NetworkPlugin
from tests.aws.stacks import NAMES, Aws, built, documents, machine_documents, of, register
from tests.program.stacks import settings_of

HIGHLY_AVAILABLE = ("small-aws", "prod-aws")

UNTAGGABLE = {
    "autoscaling:LifecycleHook",
    "cloudwatch:Dashboard",
    "ec2:Route",
    "ec2:RouteTableAssociation",
    "ec2:SubnetCidrReservation",
    "iam:RolePolicy",
    "kms:Alias",
    "route53:Record",
    "s3:BucketLifecycleConfiguration",
    "s3:BucketMetric",
    "s3:BucketOwnershipControls",
    "s3:BucketPolicy",
    "s3:BucketPublicAccessBlock",
    "s3:BucketServerSideEncryptionConfiguration",
    "s3:BucketVersioning",
    "secretsmanager:SecretVersion",
}
"""What AWS knows no tags for. Everything else has the provider's default tags."""


def short(kind: str) -> str:
    """`aws:ec2/vpc:Vpc` → `ec2:Vpc`."""
    _, module, name = kind.split(":")
    return f"{module.split('/')[0]}:{name}"


def has_tags(kind: str) -> bool:
    """Whether the provider's type has tags."""
    module, name = short(kind).split(":")
    resource = getattr(import_module(f"pulumi_aws.{module}"), name)
    return "tags" in inspect.signature(resource._internal_init).parameters


def aws_resources(stack: str) -> list[Any]:
    return [found for found in built(stack) if found.type.startswith("aws:")]


@pytest.mark.parametrize("stack", NAMES)
def test_everything_that_can_carry_tags_carries_them(stack: str) -> None:
    (provider,) = (found for found in built(stack) if found.type == "pulumi:providers:aws")
    assert json.loads(provider.inputs["defaultTags"])["tags"] == {"kube-ha:cluster": stack}
    for found in aws_resources(stack):
        assert f"::{stack}::" in found.provider, f"{found.name} is not of the stack's own provider"
        assert has_tags(found.type) is (short(found.type) not in UNTAGGABLE), found.type


@pytest.mark.parametrize("stack", NAMES)
def test_machines_and_what_they_bring_carry_the_clusters_tag(stack: str) -> None:
    # A provider's default tags do not reach what a group launches.
    for group in of(stack, "autoscaling.Group").values():
        propagated = {tag["key"]: tag["value"] for tag in group.inputs["tags"] if tag["propagateAtLaunch"]}
        assert propagated["kube-ha:cluster"] == stack
    for template in of(stack, "ec2.LaunchTemplate").values():
        kinds = {tags["resourceType"]: tags["tags"]["kube-ha:cluster"] for tags in template.inputs["tagSpecifications"]}
        assert kinds == dict.fromkeys(("instance", "network-interface", "volume"), stack)


@pytest.mark.parametrize("stack", NAMES)
def test_every_member_has_a_group_of_one_a_volume_and_a_reserved_address_in_its_zone(stack: str) -> None:
    topology = settings_of(stack).topology
    for member in topology.members:
        volume = of(stack, "ebs.Volume")[member.name]
        group = of(stack, "autoscaling.Group")[f"{stack}-{member.name}"]
        machine = documents(stack)[f"{stack}-{member.name}"]
        assert volume.inputs["availabilityZone"] == machine["zone"] == member.zone
        assert [group.inputs[size] for size in ("minSize", "desiredCapacity", "maxSize")] == [1, 1, 1]
        assert group.inputs["vpcZoneIdentifiers"] == [f"{stack}-private-{member.zone}-id"]
        reserved = of(stack, "ec2.SubnetCidrReservation")[f"{stack}-members-{member.zone}"]
        assert ip_address(machine["address"]) in ip_network(reserved.inputs["cidrBlock"])
    assert len({machine.get("address") for machine in documents(stack).values()}) == len(documents(stack))


def test_masters_of_critical_are_one_group_over_all_zones_without_volumes() -> None:
    group = of("prod-aws", "autoscaling.Group")["prod-aws-masters"]
    assert group.inputs["desiredCapacity"] == 3
    assert len(set(group.inputs["vpcZoneIdentifiers"])) == 3
    assert len(of("prod-aws", "ebs.Volume")) == len(settings_of("prod-aws").topology.members)


@pytest.mark.parametrize("stack", NAMES)
def test_groups_judge_machines_by_their_own_check_and_never_replace_two_by_themselves(stack: str) -> None:
    for group in of(stack, "autoscaling.Group").values():
        assert group.inputs["healthCheckType"] == "EC2"
        assert "instanceRefresh" not in group.inputs
        if group.inputs["maxSize"] == 1:
            assert group.inputs["instanceMaintenancePolicy"]["maxHealthyPercentage"] == 100


@pytest.mark.parametrize("stack", NAMES)
def test_every_group_lets_its_machines_leave_in_time(stack: str) -> None:
    from components.node.health import grace_period_seconds

    hooks = of(stack, "autoscaling.LifecycleHook").values()
    assert len(hooks) == len(of(stack, "autoscaling.Group"))
    for hook in hooks:
        assert hook.inputs["lifecycleTransition"] == "autoscaling:EC2_INSTANCE_TERMINATING"
        assert hook.inputs["defaultResult"] == "CONTINUE"
        assert grace_period_seconds("aws") < hook.inputs["heartbeatTimeout"] <= 180


@pytest.mark.parametrize("stack", NAMES)
def test_machines_ask_for_their_credentials_with_a_token_and_pods_cannot(stack: str) -> None:
    for template in of(stack, "ec2.LaunchTemplate").values():
        metadata = template.inputs["metadataOptions"]
        assert (metadata["httpTokens"], metadata["httpPutResponseHopLimit"]) == ("required", 1)
        assert "keyName" not in template.inputs
        assert template.inputs["monitoring"] == {"enabled": True}


@pytest.mark.parametrize("stack", NAMES)
def test_a_new_image_is_a_decision(stack: str) -> None:
    settings = settings_of(stack)
    chosen = settings.model_copy(
        update={"machines": settings.machines.model_copy(update={"image": "ami-chosen", "master_type": None})}
    )
    images = {found.inputs["imageId"] for found in register(stack, chosen) if found.type.endswith(":LaunchTemplate")}
    assert images == {"ami-chosen"}
    assert {found.inputs["imageId"] for found in of(stack, "ec2.LaunchTemplate").values()} == {"ami-newest"}


@pytest.mark.parametrize("stack", NAMES)
def test_what_holds_data_is_encrypted_under_the_stacks_key(stack: str) -> None:
    (key,) = of(stack, "kms.Key").values()
    assert key.inputs["enableKeyRotation"] is True
    arn = key.inputs["arn"]
    for volume in of(stack, "ebs.Volume").values():
        assert (volume.inputs["encrypted"], volume.inputs["kmsKeyId"]) == (True, arn)
        assert (volume.inputs["type"], volume.inputs["iops"]) == ("gp3", 3000)
    for template in of(stack, "ec2.LaunchTemplate").values():
        (root,) = template.inputs["blockDeviceMappings"]
        assert (root["ebs"]["encrypted"], root["ebs"]["kmsKeyId"]) == ("true", arn)
    for secret in of(stack, "secretsmanager.Secret").values():
        assert secret.inputs["kmsKeyId"] == arn
    (bucket,) = of(stack, "s3.BucketServerSideEncryptionConfiguration").values()
    (rule,) = bucket.inputs["rules"]
    assert rule["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": arn}
    assert {found.inputs["kmsKeyId"] for found in of(stack, "cloudwatch.LogGroup").values()} == {arn}
    assert {found.inputs["kmsMasterKeyId"] for found in of(stack, "sns.Topic").values()} == {arn}


@pytest.mark.parametrize("stack", NAMES)
def test_what_holds_data_is_protected_and_outlives_a_production_stack(stack: str) -> None:
    kept = stack in HIGHLY_AVAILABLE
    for kind in ("kms.Key", "s3.Bucket"):
        assert [(found.protect, found.retain_on_delete) for found in of(stack, kind).values()] == [(True, kept)]
    assert all(volume.protect for volume in of(stack, "ebs.Volume").values())


@pytest.mark.parametrize("stack", NAMES)
def test_a_new_agent_can_take_the_place_of_the_old_one(stack: str) -> None:
    # A child of what is protected is protected too, unless it says otherwise.
    assert not any(uploaded.protect for uploaded in of(stack, "s3.BucketObjectv2").values())


@pytest.mark.parametrize("stack", NAMES)
def test_the_bucket_is_private_versioned_and_for_tls_only(stack: str) -> None:
    (block,) = of(stack, "s3.BucketPublicAccessBlock").values()
    flags = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    assert [block.inputs[flag] for flag in flags] == [True] * 4
    (versioning,) = of(stack, "s3.BucketVersioning").values()
    assert versioning.inputs["versioningConfiguration"] == {"status": "Enabled"}
    (policy,) = of(stack, "s3.BucketPolicy").values()
    (statement,) = json.loads(policy.inputs["policy"])["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    (bucket,) = of(stack, "s3.Bucket").values()
    assert bucket.inputs["objectLockEnabled"] is (stack == "prod-aws")


@pytest.mark.parametrize("stack", NAMES)
def test_no_machine_is_reachable_from_outside(stack: str) -> None:
    for subnet in of(stack, "ec2.Subnet").values():
        assert subnet.inputs["mapPublicIpOnLaunch"] is False
    for balancer in of(stack, "lb.LoadBalancer").values():
        assert balancer.inputs["internal"] is True
        assert all("private" in subnet for subnet in balancer.inputs["subnets"])
    for name, rule in of(stack, "vpc.SecurityGroupIngressRule").items():
        open_to_all = rule.inputs.get("cidrIpv4") == "0.0.0.0/0"
        assert not open_to_all or rule.inputs["ipProtocol"] == "icmp", name
        assert rule.inputs.get("fromPort") != 22


def test_a_public_endpoint_is_for_the_named_ranges_only() -> None:
    settings = settings_of("small-aws")
    public = settings.model_copy(
        update={
            "load_balancer": type(settings.load_balancer).model_validate({"public": True, "cidrs": ["203.0.113.0/24"]})
        }
    )
    found = register("small-aws", public)
    (balancer,) = (r for r in found if r.type.endswith(":LoadBalancer") and r.custom)
    assert balancer.inputs["internal"] is False
    assert all("public" in subnet for subnet in balancer.inputs["subnets"])
    clients = {
        r.inputs["cidrIpv4"] for r in found if r.type.endswith("IngressRule") and "load-balancer-clients" in r.name
    }
    assert clients == {"10.77.0.0/16", "203.0.113.0/24"}


@pytest.mark.parametrize("stack", HIGHLY_AVAILABLE)
def test_the_load_balancer_asks_masters_whether_they_are_ready(stack: str) -> None:
    (group,) = of(stack, "lb.TargetGroup").values()
    check = group.inputs["healthCheck"]
    assert (check["protocol"], check["path"], check["port"]) == ("HTTPS", "/readyz", "6443")
    assert (check["interval"], check["healthyThreshold"], check["unhealthyThreshold"]) == (5, 2, 2)
    assert group.inputs["preserveClientIp"] == "false"
    assert group.inputs["connectionTermination"] is True
    assert group.inputs["deregistrationDelay"] == 30
    (balancer,) = of(stack, "lb.LoadBalancer").values()
    assert balancer.inputs["enableCrossZoneLoadBalancing"] is True
    assert balancer.inputs["enableDeletionProtection"] is True


@pytest.mark.parametrize("stack", NAMES)
def test_only_what_the_api_cannot_narrow_has_a_star_for_its_resource(stack: str) -> None:
    from components.aws.policies import READ_ONLY, SESSION_MANAGER

    for policy in of(stack, "iam.RolePolicy").values():
        for statement in json.loads(policy.inputs["policy"])["Statement"]:
            assert not any("*" in action for action in statement["Action"]), statement
            if statement["Resource"] == "*":
                narrow = {*READ_ONLY, *SESSION_MANAGER}
                assert set(statement["Action"]) <= narrow or "Condition" in statement, statement


def test_a_master_of_critical_cannot_make_itself_a_member() -> None:
    def secrets(role: str) -> set[str]:
        policy = json.loads(of("prod-aws", "iam.RolePolicy")[f"prod-aws-{role}"].inputs["policy"])
        (arns,) = (s["Resource"] for s in policy["Statement"] if s["Action"] == ["secretsmanager:GetSecretValue"])
        return {arn.split("prod-aws-", 1)[1] for arn in arns}

    assert "etcd-peer-ca" not in secrets("master")
    assert secrets("member") == {"etcd-peer-ca", "etcd-client-ca"}


@pytest.mark.parametrize("stack", NAMES)
def test_names_lead_to_the_api_and_the_members(stack: str) -> None:
    records = of(stack, "route53.Record")
    topology = settings_of(stack).topology
    assert set(records) == {f"{stack}-api"} | {f"{stack}-{member.name}" for member in topology.members}
    for machine in documents(stack).values():
        assert f"api.{stack}.kube-ha.internal" in machine["kubernetes"]["certificate_names"]


@pytest.mark.parametrize("stack", NAMES)
def test_every_group_and_volume_has_an_alarm_that_somebody_hears(stack: str) -> None:
    alarms = of(stack, "cloudwatch.MetricAlarm")
    (topic,) = of(stack, "sns.Topic").values()
    assert all(alarm.inputs["alarmActions"] == [topic.inputs["arn"]] for alarm in alarms.values())
    watched = Counter(alarm.inputs["metricName"] for alarm in alarms.values())
    groups, volumes = of(stack, "autoscaling.Group"), of(stack, "ebs.Volume")
    assert watched["GroupInServiceInstances"] == watched["StatusCheckFailed"] == len(groups)
    assert watched["VolumeStalledIOCheck"] == len(volumes)
    assert watched["PutRequests"] == watched["Unwell"] == watched["CertificateDays"] == 1
    assert watched["HealthyHostCount"] == (stack in HIGHLY_AVAILABLE)


@pytest.mark.parametrize("stack", NAMES)
def test_widgets_of_the_dashboard_are_within_it_and_none_hides_another(stack: str) -> None:
    (dashboard,) = of(stack, "cloudwatch.Dashboard").values()
    places = [(w["x"], w["y"]) for w in json.loads(dashboard.inputs["dashboardBody"])["widgets"]]
    assert len(places) == len(set(places)) >= 3
    assert {x for x, _ in places} <= {0, 12}, "the grid is 24 wide and a widget 12"


@pytest.mark.parametrize("stack", NAMES)
def test_an_old_snapshot_is_one_that_missed_its_turn_twice(stack: str) -> None:
    (alarm,) = (
        a.inputs for a in of(stack, "cloudwatch.MetricAlarm").values() if a.inputs["metricName"] == "PutRequests"
    )
    interval = settings_of(stack).topology.snapshots.interval.total_seconds()
    assert alarm["period"] * alarm["evaluationPeriods"] == 2 * interval
    assert alarm["treatMissingData"] == "breaching"


@pytest.mark.parametrize("stack", NAMES)
def test_attempts_at_a_snapshot_that_fail_are_not_counted_as_snapshots(stack: str) -> None:
    (counted,) = (metric.inputs["filter"]["prefix"] for metric in of(stack, "s3.BucketMetric").values())
    keys = SnapshotKeys("0123456789abcdef")
    taken = Snapshot(time=int(datetime(2026, 11, 23, tzinfo=UTC).timestamp()), revision=7)
    assert keys.metadata(taken.name).startswith(counted)
    assert not keys.lock.startswith(counted)
    assert not keys.drill_lock.startswith(counted)


def test_the_port_of_the_agents_is_open_to_agents() -> None:
    assert security_groups.STATUS == (status.PORT, status.PORT)


@pytest.mark.parametrize("name", ["CLUSTER_TAG", "MACHINE_TAG", "PODS_TAG", "METRICS_NAMESPACE"])
def test_the_stack_and_its_agents_have_one_name_for_a_thing(name: str) -> None:
    assert getattr(policies, name) == getattr(agent, name)


def test_development_is_frugal_and_production_loses_nothing_with_a_zone() -> None:
    assert len(of("dev-aws", "ec2.NatGateway")) == 1
    assert len(of("dev-aws", "ec2.VpcEndpoint")) == 1
    assert len(of("prod-aws", "ec2.NatGateway")) == 3
    assert len(of("prod-aws", "ec2.VpcEndpoint")) > 5


@pytest.mark.parametrize("stack", NAMES)
def test_a_child_has_a_component_or_its_own_resource_as_parent(stack: str) -> None:
    for found in aws_resources(stack):
        assert found.parent, found.name
        assert "::pulumi:pulumi:Stack::" not in found.parent, found.name


@pytest.mark.parametrize("stack", NAMES)
def test_no_machine_boots_before_its_role_may_do_anything(stack: str) -> None:
    for profile in of(stack, "iam.InstanceProfile").values():
        assert any(":RolePolicy::" in urn for urn in profile.dependencies)


@pytest.mark.parametrize("stack", NAMES)
def test_no_machine_boots_before_what_it_fetches_and_its_way_out_are_there(stack: str) -> None:
    kinds = {
        *("SecretVersion", "BucketObjectv2", "SubnetCidrReservation", "Route", "RouteTableAssociation"),
        *("SecurityGroupIngressRule", "SecurityGroupEgressRule", "VpcEndpoint"),
    }
    needed = {found.name for found in aws_resources(stack) if found.type.rsplit(":", 1)[1] in kinds}
    for group in of(stack, "autoscaling.Group").values():
        assert needed <= {urn.rsplit("::", 1)[1] for urn in group.dependencies}


@pytest.mark.parametrize("stack", NAMES)
def test_a_preview_knows_every_resource_although_values_are_unknown(stack: str) -> None:
    previewed = {
        (found.type, found.name) for found in register(stack, settings_of(stack), preview=True) if found.custom
    }
    assert previewed == {(found.type, found.name) for found in built(stack) if found.custom}


@pytest.mark.parametrize("stack", NAMES)
def test_where_the_user_brings_a_network_plugin_masters_make_no_routes_and_may_not(stack: str) -> None:
    own = settings_of(stack).model_copy(update={"network_plugin": NetworkPlugin.NONE})
    registered = register(stack, own)
    assert not any(machine["kubernetes"]["pod_network"] for machine in machine_documents(registered).values())
    for policy in (found for found in registered if found.type == "aws:iam/rolePolicy:RolePolicy"):
        assert "Route" not in policy.inputs["policy"]


def test_a_machine_with_too_little_memory_is_refused_before_anything_is_made() -> None:
    says = r"kube-ha:machines.masterType: \S+ has 1024 MiB of memory; a master needs 4096 MiB or more, such as"
    with pytest.raises(pulumi.RunError, match=says):
        register("small-aws", settings_of("small-aws"), aws=Aws(memory_mib=1024))


def test_a_machine_that_cannot_run_what_was_built_here_is_refused() -> None:
    with pytest.raises(pulumi.RunError, match=r"is mips; what the toolchain made on this machine runs on"):
        register("small-aws", settings_of("small-aws"), aws=Aws(architecture="mips"))
