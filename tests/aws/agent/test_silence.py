"""A service that takes connections and never answers: a round waits for it once, and then goes on without it."""

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest

from components.node.agent.cloud import CloudError
from components.node.agent.clouds import aws, aws_silence
from components.node.agent.clouds.aws import Aws
from tests.aws.agent.conftest import CREDENTIALS
from tests.aws.agent.metadata_service import metadata_service

KEYS = {"AccessKeyId": "a", "SecretAccessKey": "b", "Token": "c", "Expiration": "2099-01-01T00:00:00Z"}
LIMIT_SECONDS = 1


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Aws]:
    """AWS as a machine reaches it whose every connection is accepted by somebody who is silent."""
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        metadata_service({"placement/region": "eu-west-1", "tags/instance/kube-ha:uid": "u1"}, KEYS) as metadata,
    ):
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata)
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
            monkeypatch.setenv(name, str(tmp_path / "none"))
        for name in CREDENTIALS:
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
        monkeypatch.setattr(aws, "OBJECT_SECONDS", LIMIT_SECONDS)
        monkeypatch.setattr(Aws._client, "__defaults__", (LIMIT_SECONDS,))
        made = Aws("bucket", disks=tmp_path)
        made._s3()  # a client takes a while to make, and is made once
        yield made


def seconds_of(call: Callable[[], object]) -> float:
    """How long it takes to fail."""
    begun = time.monotonic()
    with pytest.raises(CloudError):
        call()
    return time.monotonic() - begun


def test_a_silent_store_is_waited_for_once_in_a_round(cloud: Aws) -> None:
    assert LIMIT_SECONDS <= seconds_of(lambda: cloud.get("a")) < 1.8 * LIMIT_SECONDS
    for call in (lambda: cloud.get("b"), lambda: cloud.list("c"), lambda: cloud.put("d", b"")):
        assert seconds_of(call) < 0.5 * LIMIT_SECONDS


def test_a_silent_store_is_asked_again_after_a_while(cloud: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws_silence, "SILENT_SECONDS", 0)
    seconds_of(lambda: cloud.get("a"))
    assert seconds_of(lambda: cloud.get("a")) >= LIMIT_SECONDS


def test_the_silence_of_one_service_is_no_other_ones(cloud: Aws) -> None:
    seconds_of(lambda: cloud.get("a"))
    assert seconds_of(lambda: cloud.secret("b")) >= LIMIT_SECONDS
