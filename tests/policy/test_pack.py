"""From the SDK's requests to the rules and back, without an engine."""

from typing import Any

from google.protobuf import struct_pb2
from pulumi.runtime.proto import analyzer_pb2
from pulumi_policy.policy import EnforcementLevel, _PolicyAnalyzerServicer
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from policy.catalogue import RULES
from policy.pack import ADVICE, STACK_ADVICE, Pack, strict_here

PLANE = "urn:pulumi:s::p::kube-ha:aws:ControlPlane::plane"


def servicer(*, strict: bool = False) -> Any:
    policies = Pack(list(RULES.values()), strict=strict).policies
    return _PolicyAnalyzerServicer("kube-ha", "0", policies, EnforcementLevel.MANDATORY)


def request(kind: str, properties: dict[str, Any], parent: str = "") -> Any:
    bag = struct_pb2.Struct()
    bag.update(properties)
    above = parent.split("::")[2] + "$" if parent else ""
    asked = analyzer_pb2.AnalyzeRequest(type=kind, name="n", urn=f"urn:pulumi:s::p::{above}{kind}::n", properties=bag)
    asked.options.parent = parent
    return asked


def plane(scenario: str) -> Any:
    asked = request("kube-ha:aws:ControlPlane", {"scenario": scenario, "controlPlane": "managed"})
    asked.urn = PLANE
    return asked


def said(response: Any) -> list[tuple[str, str]]:
    levels = {analyzer_pb2.ADVISORY: "advisory", analyzer_pb2.MANDATORY: "mandatory"}
    return [(levels[found.enforcementLevel], found.policyName) for found in response.diagnostics]


FRUGAL = {"loadBalancerType": "network", "enableDeletionProtection": True}
BALANCER = "aws:lb/loadBalancer:LoadBalancer"


def test_the_level_follows_the_control_plane_that_made_the_resource() -> None:
    for scenario, expected in (
        ("development", ("advisory", ADVICE)),
        ("critical", ("mandatory", "balancers-span-zones")),
    ):
        pack = servicer()
        pack.Analyze(plane(scenario), None)
        assert said(pack.Analyze(request(BALANCER, FRUGAL, PLANE), None)) == [expected]


def test_a_resource_of_nobody_is_held_to_production() -> None:
    assert said(servicer().Analyze(request(BALANCER, FRUGAL), None)) == [("mandatory", "balancers-span-zones")]


def test_an_unknown_value_is_advice_by_name_or_a_violation_where_nobody_reads_advice() -> None:
    unknown = request("aws:iam/rolePolicy:RolePolicy", {"policy": UNKNOWN_STRING_VALUE})
    told = servicer().Analyze(unknown, None)
    assert said(told) == [("advisory", ADVICE)]
    assert "no-policy-allows-everything: cannot be decided yet: policy" in told.diagnostics[0].message
    assert said(servicer(strict=True).Analyze(unknown, None)) == [("mandatory", "no-policy-allows-everything")]


def test_an_unknown_value_that_no_rule_reads_stops_nothing() -> None:
    properties = {**FRUGAL, "enableCrossZoneLoadBalancing": True, "name": UNKNOWN_STRING_VALUE}
    assert said(servicer(strict=True).Analyze(request(BALANCER, properties), None)) == []


def test_advice_is_given_once() -> None:
    pack = servicer()
    pack.Analyze(plane("development"), None)
    for _ in range(2):
        assert len(pack.Analyze(request(BALANCER, FRUGAL, PLANE), None).diagnostics) == 1
    assert said(pack.AnalyzeStack(analyzer_pb2.AnalyzeStackRequest(), None)) == []


def test_stack_rules_see_what_a_value_came_from() -> None:
    zones = ("a", "b")
    subnets = [f"urn:pulumi:s::p::aws:ec2/subnet:Subnet::{zone}" for zone in zones]
    asked = analyzer_pb2.AnalyzeStackRequest()
    for zone, urn in zip(zones, subnets, strict=True):
        found = asked.resources.add(type="aws:ec2/subnet:Subnet", name=zone, urn=urn)
        found.properties.update({"availabilityZone": f"eu-west-1{zone}"})
    cluster = asked.resources.add(
        type="aws:eks/cluster:Cluster", name="c", urn="urn:pulumi:s::p::aws:eks/cluster:Cluster::c"
    )
    cluster.properties.update({"vpcConfig": UNKNOWN_STRING_VALUE})
    cluster.propertyDependencies["vpcConfig"].urns.extend(subnets)
    messages = [found.message for found in servicer().AnalyzeStack(asked, None).diagnostics]
    assert any("subnets in 2 zone(s) (eu-west-1a, eu-west-1b)" in message for message in messages)


def test_only_ci_is_strict() -> None:
    assert (strict_here({"CI": "true"}), strict_here({"CI": "false"}), strict_here({})) == (True, False, False)


def test_the_engine_learns_how_to_satisfy_a_rule_and_its_other_names() -> None:
    found = {each.name: each for each in servicer().GetAnalyzerInfo(None, None).policies}
    assert set(found) == {*RULES, ADVICE, STACK_ADVICE}
    assert "CKV_AWS_38" in found["apis-name-their-clients"].framework.reference
    assert found["masters-span-zones"].remediation_steps == RULES["masters-span-zones"].satisfy
    assert found["members-are-odd"].configSchema.properties["most"]["default"] == 7
