"""A worker on AWS joins with a token that the masters keep in the secret store, and reads nothing else."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from components.node import bootstrap_token
from components.node.agent.cloud import AccessDeniedError
from components.node.agent.worker_token import known, renew
from components.node.worker import SECRET
from tests.api_server import ApiServer
from tests.aws.agent import world as worlds
from tests.aws.agent.conftest import Machine, boot
from tests.aws.agent.world import World
from tests.aws.stacks import NAMES, of

NOW = datetime.now(UTC)


@pytest.mark.timeout(240)
def test_masters_keep_a_token_that_the_api_server_knows_and_renew_it_before_it_ends(
    machine: Machine, api: ApiServer
) -> None:
    assert renew(machine.cloud, api.kubectl, NOW)
    first = machine.cloud.secret(SECRET).decode()
    assert not renew(machine.cloud, api.kubectl, NOW + timedelta(hours=11))
    assert renew(machine.cloud, api.kubectl, NOW + timedelta(hours=13))
    second = machine.cloud.secret(SECRET).decode()
    assert first != second
    assert known(api.kubectl, first) is not None, "a worker that has just read it can still join"
    api.kubectl("delete", "secret", bootstrap_token.name(second), "--namespace=kube-system")
    assert renew(machine.cloud, api.kubectl, NOW + timedelta(hours=13)), "as after a restore"
    third = machine.cloud.secret(SECRET).decode()
    assert third != second
    assert known(api.kubectl, third) is not None


def test_a_workers_role_reads_its_token_and_binaries_and_nothing_else(
    machine: Machine, world: World, tmp_path: Path
) -> None:
    machine.cloud.keep_secret(SECRET, b"abcdef.0123456789abcdef")
    machine.cloud.put("clusters/snapshot", b"everything")
    world.ask("s3", "put_object", Bucket=worlds.BUCKET, Key="artifacts/0123/kubelet", Body=b"binary")
    (instance,) = world.launch("worker-machines")
    metadata = worlds.entries(world, instance, role="worker")
    allowed = worlds.policy(worlds.CLUSTER, "worker")
    with boot(world, instance, metadata, "worker", tmp_path, policy=allowed) as worker:
        assert worker.cloud.secret(SECRET) == b"abcdef.0123456789abcdef"
        assert worker.cloud.get("artifacts/0123/kubelet")[0] == b"binary"
        for refused in (
            lambda: worker.cloud.keep_secret(SECRET, b"mine"),
            lambda: worker.cloud.get("clusters/snapshot"),
            lambda: worker.cloud.put("artifacts/0123/kubelet", b"mine"),
            lambda: worker.cloud.list("clusters/"),
            worker.cloud.routes,
        ):
            with pytest.raises(AccessDeniedError):
                refused()


@pytest.mark.parametrize("stack", NAMES)
def test_a_workers_role_is_for_one_secret_and_for_what_is_public_in_the_bucket(stack: str) -> None:
    policy = json.loads(of(stack, "iam.RolePolicy")[f"{stack}-worker"].inputs["policy"])
    token, opened, files, read = policy["Statement"]
    assert (token["Action"], files["Action"]) == (["secretsmanager:GetSecretValue"], ["s3:GetObject"])
    assert token["Resource"].endswith(f"{stack}-worker-token")
    assert files["Resource"].endswith(f":{stack}/artifacts/*")
    for decrypting, context, what in ((opened, "SecretARN", token["Resource"]), (read, "aws:s3:arn", f":{stack}")):
        assert decrypting["Action"] == ["kms:Decrypt"]
        assert decrypting["Condition"]["StringEquals"][f"kms:EncryptionContext:{context}"].endswith(what)


@pytest.mark.parametrize("stack", NAMES)
def test_masters_alone_write_the_token_and_no_other_secret(stack: str) -> None:
    for role, policy in of(stack, "iam.RolePolicy").items():
        writing = [
            statement["Resource"]
            for statement in json.loads(policy.inputs["policy"])["Statement"]
            if "secretsmanager:PutSecretValue" in statement["Action"]
        ]
        assert len(writing) == (role == f"{stack}-master"), role
        assert all(len(arns) == 1 and arns[0].endswith("worker-token") for arns in writing)
