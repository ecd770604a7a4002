"""Roles, keys and secrets, by the requests of IAM, KMS and Secrets Manager."""

from typing import Any, Final

from providers.aws.connection import Aws
from providers.aws.kind import Kind, Made, Properties, Request, names, pick, tag_list


def make_role(aws: Aws, request: Request) -> Made:
    given = request.inputs
    made = aws(
        "iam",
        "create_role",
        RoleName=given["name"],
        AssumeRolePolicyDocument=given["assumeRolePolicy"],
        Tags=tag_list(request.tags),
    )["Role"]
    return Made(given["name"], {"arn": made["Arn"], "uniqueId": made["RoleId"]})


def put_policy(aws: Aws, request: Request) -> Made:
    given = request.inputs
    aws("iam", "put_role_policy", RoleName=given["role"], PolicyName=given["name"], PolicyDocument=given["policy"])
    return Made(f"{given['role']}:{given['name']}")


def change_policy(aws: Aws, identity: str, before: Properties, request: Request) -> Properties:
    put_policy(aws, request)
    return {}


def attach_policy(aws: Aws, request: Request) -> Made:
    given = request.inputs
    aws("iam", "attach_role_policy", RoleName=given["role"], PolicyArn=given["policyArn"])
    return Made(f"{given['role']}-{given['policyArn']}")


def find_attached(aws: Aws, identity: str, state: Properties) -> Any:
    attached = aws("iam", "list_attached_role_policies", RoleName=state["role"])["AttachedPolicies"]
    return [policy for policy in attached if policy["PolicyArn"] == state["policyArn"]]


def make_profile(aws: Aws, request: Request) -> Made:
    given = request.inputs
    made = aws("iam", "create_instance_profile", InstanceProfileName=given["name"], Tags=tag_list(request.tags))
    aws("iam", "add_role_to_instance_profile", InstanceProfileName=given["name"], RoleName=given["role"])
    return Made(given["name"], {"arn": made["InstanceProfile"]["Arn"]})


def remove_profile(aws: Aws, identity: str, state: Properties) -> None:
    aws("iam", "remove_role_from_instance_profile", InstanceProfileName=identity, RoleName=state["role"])
    aws("iam", "delete_instance_profile", InstanceProfileName=identity)


def make_key(aws: Aws, request: Request) -> Made:
    given = request.inputs
    tags = [{"TagKey": key, "TagValue": value} for key, value in request.tags.items()]
    made = aws("kms", "create_key", **pick(given, "description policy"), Tags=tags)["KeyMetadata"]
    if given.get("enableKeyRotation"):
        aws("kms", "enable_key_rotation", KeyId=made["KeyId"])
    return Made(made["KeyId"], {"arn": made["Arn"], "keyId": made["KeyId"]})


def change_key(aws: Aws, identity: str, before: Properties, request: Request) -> Properties:
    aws("kms", "put_key_policy", KeyId=identity, PolicyName="default", Policy=request.inputs["policy"])
    return {}


def make_alias(aws: Aws, request: Request) -> Made:
    given = request.inputs
    aws("kms", "create_alias", AliasName=given["name"], TargetKeyId=given["targetKeyId"])
    return Made(given["name"])


def make_secret(aws: Aws, request: Request) -> Made:
    given = request.inputs
    made = aws("secretsmanager", "create_secret", **pick(given, "name kmsKeyId"), Tags=tag_list(request.tags))
    return Made(made["ARN"], {"arn": made["ARN"]})


def remove_secret(aws: Aws, identity: str, state: Properties) -> None:
    days = state["recoveryWindowInDays"]
    aws("secretsmanager", "delete_secret", SecretId=identity, RecoveryWindowInDays=days)


def make_version(aws: Aws, request: Request) -> Made:
    given = request.inputs
    made = aws("secretsmanager", "put_secret_value", **pick(given, "secretId secretString"))
    return Made(f"{made['ARN']}|{made['VersionId']}", {"arn": made["ARN"], "versionId": made["VersionId"]})


KINDS: Final = {
    "aws:iam/role:Role": Kind(
        inputs=names("name assumeRolePolicy tags"),
        named="name",
        create=make_role,
        find=lambda aws, identity, state: aws("iam", "get_role", RoleName=identity),
        delete=lambda aws, identity, state: aws("iam", "delete_role", RoleName=identity),
    ),
    "aws:iam/rolePolicy:RolePolicy": Kind(
        inputs=names("name role policy"),
        named="name",
        replaces=names("name role"),
        create=put_policy,
        update=change_policy,
        find=lambda aws, identity, state: aws(
            "iam", "get_role_policy", RoleName=state["role"], PolicyName=state["name"]
        ),
        delete=lambda aws, identity, state: aws(
            "iam", "delete_role_policy", RoleName=state["role"], PolicyName=state["name"]
        ),
    ),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": Kind(
        inputs=names("role policyArn"),
        create=attach_policy,
        find=find_attached,
        delete=lambda aws, identity, state: aws(
            "iam", "detach_role_policy", RoleName=state["role"], PolicyArn=state["policyArn"]
        ),
    ),
    "aws:iam/instanceProfile:InstanceProfile": Kind(
        inputs=names("name role tags"),
        named="name",
        create=make_profile,
        find=lambda aws, identity, state: aws("iam", "get_instance_profile", InstanceProfileName=identity),
        delete=remove_profile,
    ),
    "aws:kms/key:Key": Kind(
        inputs=names("description policy enableKeyRotation deletionWindowInDays tags"),
        replaces=names("description enableKeyRotation deletionWindowInDays tags"),
        create=make_key,
        update=change_key,
        find=lambda aws, identity, state: aws("kms", "describe_key", KeyId=identity),
        delete=lambda aws, identity, state: aws(
            "kms", "schedule_key_deletion", KeyId=identity, PendingWindowInDays=state["deletionWindowInDays"]
        ),
    ),
    "aws:kms/alias:Alias": Kind(
        inputs=names("name targetKeyId"),
        create=make_alias,
        delete=lambda aws, identity, state: aws("kms", "delete_alias", AliasName=identity),
    ),
    "aws:secretsmanager/secret:Secret": Kind(
        inputs=names("name kmsKeyId recoveryWindowInDays tags"),
        named="name",
        create=make_secret,
        find=lambda aws, identity, state: aws("secretsmanager", "describe_secret", SecretId=identity),
        delete=remove_secret,
    ),
    "aws:secretsmanager/secretVersion:SecretVersion": Kind(
        inputs=names("secretId secretString"),
        create=make_version,
        find=lambda aws, identity, state: aws("secretsmanager", "get_secret_value", SecretId=state["secretId"]),
    ),
}
