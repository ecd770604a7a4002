"""A role may do what its machine's agent calls, and nothing else: each action is missed when it is not there."""

from collections.abc import Callable

import pytest

from components.aws.policies import INSTANCES, SESSION_MANAGER
from components.node.agent.cloud import AccessDeniedError
from components.node.agent.clouds.aws import Aws
from tests.aws.agent.conftest import Machine
from tests.aws.agent.world import CLUSTER, UID, World, policy

PODS = "10.244.7.0/24"
ROUTED = "10.244.8.0/24"
KEY = f"clusters/{UID}/permissions"

Call = Callable[[Aws], object]

CALLS: dict[str, Call] = {
    "autoscaling:CompleteLifecycleAction": lambda cloud: cloud.let_go(),
    "autoscaling:DescribeAutoScalingGroups": lambda cloud: cloud.instance(),
    "autoscaling:DescribeAutoScalingInstances": lambda cloud: cloud.instance(),
    "autoscaling:DescribeLifecycleHooks": lambda cloud: cloud.let_go(),
    "autoscaling:TerminateInstanceInAutoScalingGroup": lambda cloud: cloud.replace_me("its template changed"),
    "cloudwatch:PutMetricData": lambda cloud: cloud.report(
        ready=True, phase="", message="", certificate_days=None, concerns=0
    ),
    "ec2:AssignPrivateIpAddresses": lambda cloud: cloud.take_address("10.77.16.17"),
    "ec2:AttachVolume": lambda cloud: cloud.attach_volume(),
    "ec2:CreateRoute": lambda cloud: cloud.route(PODS),
    "ec2:DeleteRoute": lambda cloud: cloud.unroute(ROUTED, cloud.routes()[ROUTED]),
    "ec2:DescribeNetworkInterfaces": lambda cloud: cloud.route(PODS, "10.77.16.40"),
    "ec2:DescribeRouteTables": lambda cloud: cloud.routes(),
    "ec2:DescribeVolumes": lambda cloud: cloud.attach_volume(),
    "ec2:ModifyNetworkInterfaceAttribute": lambda cloud: cloud.route(PODS),
    "kms:GenerateDataKey": lambda cloud: cloud.wrap(b"key"),
    "s3:DeleteObject": lambda cloud: cloud.delete(KEY),
    "s3:GetObject": lambda cloud: cloud.get(KEY),
    "s3:ListBucket": lambda cloud: cloud.list(f"clusters/{UID}/"),
    "s3:PutObject": lambda cloud: cloud.put(KEY, b"content"),
    "secretsmanager:GetSecretValue": lambda cloud: cloud.secret("etcd-peer-ca"),
    "secretsmanager:PutSecretValue": lambda cloud: cloud.keep_secret("worker-token", b"t"),
}
"""Action → what the agent asks for that takes it."""

UNJUDGED = {
    "ec2:ReplaceRoute": "asked for only when a route goes to another machine: test_machine.py",
    "kms:Decrypt": "AWS asks for it when S3 or the secret store opens what is under the stack's key",
    "s3:AbortMultipartUpload": "asked for only when the upload of a large snapshot fails",
    "s3:PutObjectRetention": "AWS asks for it with a PUT that locks; the emulator asks for PutObject alone",
    **dict.fromkeys(INSTANCES, "called by the cloud controller manager: test_cloud_controller.py"),
    **dict.fromkeys(SESSION_MANAGER, "called by the SSM agent, not by ours"),
}
"""What no call above is refused without, and why a role has it all the same."""


def actions(rendered: dict[str, list[dict[str, list[str]]]]) -> set[str]:
    return {action for statement in rendered["Statement"] for action in statement["Action"]}


def test_a_role_has_no_action_that_nobody_calls() -> None:
    assert actions(policy(CLUSTER, "master")) == {*CALLS, *UNJUDGED}


def test_machines_without_a_member_or_without_pods_have_less() -> None:
    master, member = actions(policy("prod-aws", "master")), actions(policy("prod-aws", "member"))
    assert {"ec2:AttachVolume", "ec2:AssignPrivateIpAddresses", "ec2:DescribeVolumes"} <= member - master
    assert {"ec2:CreateRoute", "ec2:ModifyNetworkInterfaceAttribute", "ec2:DescribeRouteTables"} <= master - member


@pytest.fixture(scope="module")
def used(machine: Machine) -> Machine:
    """A machine that has something to delete and a route to end."""
    machine.cloud.put(KEY, b"content")
    machine.cloud.route(ROUTED)
    return machine


@pytest.mark.parametrize("action", CALLS)
def test_without_an_action_that_it_needs_the_agent_is_refused_and_says_so(
    action: str, used: Machine, world: World
) -> None:
    with world.without(used.role, action), pytest.raises(AccessDeniedError):
        CALLS[action](used.cloud)
