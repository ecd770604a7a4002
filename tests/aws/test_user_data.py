"""What machines on AWS boot with: accepted by cloud-init, small enough for EC2, everything that a stock image lacks."""

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cli import worker
from cli.engine import Engine
from cli.kubectl import Kubectl
from components.node.agent import packages
from components.node.cloud_init import LIMIT_BYTES
from tests.aws.stacks import CONTROLLER, MADE, NAMES, PACKAGES, built, documents, of, user_data
from tests.cli.test_worker import ANSWERS, KUBECONFIG


@pytest.mark.parametrize("stack", NAMES)
def test_cloud_init_accepts_the_user_data_of_every_kind_of_machine(
    stack: str, accepted: Callable[..., object], tool: Callable[[str], str]
) -> None:
    kinds = {found["role"]: name for name, found in documents(stack).items()}
    for name in kinds.values():
        text = user_data(of(stack, "ec2.LaunchTemplate")[name])
        accepted(text, tool("cloud-init"), "schema", "--config-file", "{}")


@pytest.fixture
def of_worker(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """What `make worker` prints for a stack that is up."""
    monkeypatch.setattr(Kubectl, "get", lambda kubectl, kind, *more: ANSWERS[kind])

    def printed(stack: str) -> str:
        resources: list[dict[str, Any]] = [
            {
                "type": found.type,
                "urn": f"urn:pulumi:{stack}::kube-ha::{found.type}::{found.name}",
                "inputs": found.inputs,
                "outputs": {"name": found.name, "bucket": f"{found.name}-1a2b3c4", **found.inputs},
            }
            for found in built(stack)
        ]
        outputs = {"kubeconfig": json.dumps(KUBECONFIG)}
        engine = SimpleNamespace(stack=stack, outputs=lambda: outputs, resources=lambda: resources)
        return worker.user_data(cast(Engine, engine), "eu-west-1a")

    return printed


@pytest.mark.parametrize("stack", NAMES)
def test_a_workers_user_data_is_accepted_too_and_fits(
    stack: str, of_worker: Callable[[str], str], accepted: Callable[..., object], tool: Callable[[str], str]
) -> None:
    text = of_worker(stack)
    assert len(text.encode()) < LIMIT_BYTES
    assert {path for path in worker.BINARIES.values() if path not in text} == set(), "a stock image has none of them"
    accepted(text, tool("cloud-init"), "schema", "--config-file", "{}")


@pytest.mark.parametrize("stack", NAMES)
def test_user_data_carries_no_secret_and_fits_with_room_for_more(stack: str) -> None:
    for template in of(stack, "ec2.LaunchTemplate").values():
        text = user_data(template)
        assert "PRIVATE" not in text
        assert len(text.encode()) < 15 * 1024, "EC2 takes 16 KB"


@pytest.mark.parametrize("stack", NAMES)
def test_every_file_that_a_machine_wants_is_in_the_bucket_under_that_key(stack: str) -> None:
    uploaded = {found.inputs["key"] for found in of(stack, "s3.BucketObjectv2").values()}
    for machine in documents(stack).values():
        wanted = {file["key"] for file in machine["artifacts"]}
        assert wanted <= uploaded
        names = {file["name"] for file in machine["artifacts"]}
        assert {file.name for file in (*MADE.artifacts, PACKAGES, CONTROLLER) if machine["role"] in file.roles} == names


def test_masters_get_the_passthrough_that_stock_debian_lacks() -> None:
    for machine in documents("prod-aws").values():
        paths = {file["path"] for file in machine["artifacts"]}
        assert any(path.startswith(packages.FOLDER) for path in paths) is (machine["role"] == "master")
