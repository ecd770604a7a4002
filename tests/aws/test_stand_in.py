"""The stand-in says no where AWS would say no, and keeps what it cannot check apart."""

from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from providers.aws.connection import Aws, NoEmulatorError
from providers.aws.kind import Request, pascal
from providers.aws.kinds import KINDS
from providers.messages import whole
from providers.stand_in import auto_name

Refusal = (BotoCoreError, ClientError, ValueError)


def make(aws: Aws, token: str, **inputs: Any) -> Any:
    kind = next(kind for name, kind in KINDS.items() if name.endswith(f":{token}"))
    assert set(inputs) <= kind.inputs
    return kind.create(aws, Request(inputs=inputs, tags={"kube-ha:cluster": "test"} if kind.taggable else {}))


@pytest.fixture(scope="module")
def vpc(aws: Aws) -> str:
    return str(make(aws, "Vpc", cidrBlock="10.77.0.0/16").id)


def test_what_is_made_exists_with_its_tags(aws: Aws, vpc: str) -> None:
    (found,) = aws("ec2", "describe_vpcs", VpcIds=[vpc])["Vpcs"]
    assert {"Key": "kube-ha:cluster", "Value": "test"} in found["Tags"]


def test_a_subnet_that_overlaps_another_is_refused(aws: Aws, vpc: str) -> None:
    subnet = {"vpcId": vpc, "availabilityZone": "eu-west-1a"}
    make(aws, "Subnet", **subnet, cidrBlock="10.77.16.0/20")
    with pytest.raises(ClientError, match="conflicts with another subnet"):
        make(aws, "Subnet", **subnet, cidrBlock="10.77.17.0/24")


@pytest.mark.parametrize(
    ("token", "inputs", "says"),
    [
        ("Volume", {"availabilityZone": "eu-west-1a", "size": 20, "type": "gp9"}, "got 'gp9'; accepted: standard, io1"),
        ("Volume", {"availabilityZone": "eu-west-1z", "size": 20, "type": "gp3"}, "accepted: eu-west-1a, eu-west-1b"),
        ("Subnet", {"vpcId": "vpc-0", "availabilityZone": "eu-west-1a", "cidrBlock": "10.0.0.0/24"}, "InvalidVpcID"),
        ("NatGateway", {"subnetId": "subnet-0", "allocationId": "eipalloc-0"}, "InvalidSubnetID"),
        ("Alias", {"name": "kube-ha", "targetKeyId": "nobody"}, "Invalid identifier"),
        ("Eip", {"domain": "moon"}, "got 'moon'; accepted: vpc, standard"),
    ],
)
def test_what_aws_would_refuse_is_refused(aws: Aws, token: str, inputs: dict[str, Any], says: str) -> None:
    with pytest.raises(Refusal, match=says):
        make(aws, token, **inputs)


def test_a_nat_gateway_without_a_way_out_is_refused(aws: Aws) -> None:
    alone = make(aws, "Vpc", cidrBlock="10.78.0.0/16").id
    subnet = make(aws, "Subnet", vpcId=alone, availabilityZone="eu-west-1a", cidrBlock="10.78.1.0/24").id
    with pytest.raises(ValueError, match=r"Gateway\.NotAttached"):
        make(aws, "NatGateway", subnetId=subnet, allocationId=make(aws, "Eip", domain="vpc").id)


def test_a_rule_for_a_group_that_is_not_there_is_refused(aws: Aws, vpc: str) -> None:
    group = make(aws, "SecurityGroup", name="one", description="one", vpcId=vpc).id
    rule = {"securityGroupId": group, "ipProtocol": "tcp", "toPort": 6443, "description": "api"}
    with pytest.raises(ClientError, match=r"InvalidGroup\.NotFound"):
        make(aws, "SecurityGroupIngressRule", **rule, fromPort=6443, referencedSecurityGroupId="sg-0123456789abcdef0")
    with pytest.raises(ValueError, match="the lower one first"):
        make(aws, "SecurityGroupIngressRule", **rule, fromPort=7000, cidrIpv4="10.0.0.0/8")


def test_a_new_security_group_lets_nothing_through(aws: Aws, vpc: str) -> None:
    group = make(aws, "SecurityGroup", name="closed", description="closed", vpcId=vpc).id
    (found,) = aws("ec2", "describe_security_groups", GroupIds=[group])["SecurityGroups"]
    assert (found["IpPermissions"], found["IpPermissionsEgress"]) == ([], [])


def test_a_policy_that_is_none_is_refused(aws: Aws) -> None:
    trust = '{"Version": "2012-10-17", "Statement": []}'
    role = make(aws, "Role", name=auto_name("role"), assumeRolePolicy=trust).id
    bad = '{"Version": "2012-10-17", "Statement": [{"Effect": "Permit", "Action": "s3:GetObject", "Resource": "*"}]}'
    with pytest.raises(ClientError, match="MalformedPolicyDocument"):
        make(aws, "RolePolicy", name="bad", role=role, policy=bad)


def test_a_bucket_for_tls_only_takes_what_comes_over_tls(aws: Aws) -> None:
    aws("s3", "create_bucket", Bucket="tls", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    policy = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": '
        '"arn:aws:s3:::tls/*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}'
    )
    aws("s3", "put_bucket_policy", Bucket="tls", Policy=policy)
    aws("s3", "put_object", Bucket="tls", Key="key", Body=b"content")


def test_a_change_of_a_template_is_a_version_that_groups_can_launch(aws: Aws, vpc: str) -> None:
    kind = KINDS["aws:ec2/launchTemplate:LaunchTemplate"]
    inputs = {"name": auto_name("template"), "imageId": "ami-0abc", "instanceType": "m7a.large", "userData": "aGk="}
    made = kind.create(aws, Request(inputs=inputs, tags={}))
    assert kind.update is not None
    changed = kind.update(aws, made.id, {}, Request(inputs={**inputs, "userData": "aG8="}, tags={}))
    assert (made.outputs["latestVersion"], changed["latestVersion"]) == (1, 2)
    subnet = make(aws, "Subnet", vpcId=vpc, availabilityZone="eu-west-1a", cidrBlock="10.77.64.0/24").id
    for version in ("1", "2"):
        aws(
            "autoscaling",
            "create_auto_scaling_group",
            AutoScalingGroupName=auto_name("group"),
            MinSize=1,
            MaxSize=1,
            VPCZoneIdentifier=subnet,
            LaunchTemplate={"LaunchTemplateId": made.id, "Version": version},
        )


def test_what_the_emulator_lacks_is_held_against_awss_own_model(aws: Aws) -> None:
    kind = KINDS["aws:s3/bucketMetric:BucketMetric"]
    assert not kind.emulated
    with pytest.raises(BotoCoreError, match="Unknown parameter"):
        kind.create(aws, Request(inputs={"bucket": "b", "name": "n", "filter": {"colour": "red"}}, tags={}))


def test_an_account_is_never_reached() -> None:
    with pytest.raises(NoEmulatorError, match="accepted: http://127"):
        Aws("https://ec2.eu-west-1.amazonaws.com", "eu-west-1")


def test_names_are_as_the_official_provider_gives_them() -> None:
    assert auto_name("prod-aws").startswith("prod-aws-")
    assert len(auto_name("prod-aws")) == len("prod-aws-") + 7


def test_properties_are_spelt_as_aws_does_all_the_way_down() -> None:
    assert pascal({"httpTokens": "required", "ebs": [{"kmsKeyId": None, "volumeSize": 1}]}) == {
        "HttpTokens": "required",
        "Ebs": [{"VolumeSize": 1}],
    }


def test_the_engines_numbers_are_whole_where_they_can_be() -> None:
    assert whole({"size": 20.0, "threshold": 0.5}) == {"size": 20, "threshold": 0.5}
