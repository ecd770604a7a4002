"""An emulated AWS for each file of the agent's AWS side, and a machine in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from components.node.agent.clouds import aws_network
from components.node.agent.clouds.aws import Aws
from rehearsal.emulation import emulator
from tests import api_server
from tests.api_server import ApiServer
from tests.aws.agent import world as worlds
from tests.aws.agent.metadata_service import metadata_service
from tests.aws.agent.world import World
from toolchain import cache

CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE")


@dataclass
class Machine:
    """A machine, as its agent and its metadata service see it."""

    cloud: Aws
    instance: str
    metadata: dict[str, str]
    commands: list[list[str]]
    """What it did to its own network."""
    role: str


@pytest.fixture(scope="session")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An emulator's URL."""
    with emulator(tmp_path_factory.mktemp("emulator") / "log") as url:
        yield url


@pytest.fixture(scope="module")
def world(emulated: str) -> World:
    """As new: what other files left is gone, and this one may be run in parts."""
    worlds.forget(emulated)
    return worlds.make(emulated)


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """A cluster's API server."""
    try:
        cache.binary("kube-apiserver")
    except cache.MissingToolError as error:
        pytest.skip(str(error))
    with api_server.running(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@contextmanager
def boot(
    world: World,
    instance: str,
    metadata: dict[str, str],
    role: str,
    disks: Path,
    *,
    policy: dict[str, Any] | None = None,
) -> Iterator[Machine]:
    """This process is the machine: its SDK asks the metadata service for the role's credentials and no one else."""
    commands: list[list[str]] = []
    credentials = world.role(role, policy or worlds.policy(worlds.CLUSTER, "master"))
    patch = pytest.MonkeyPatch()
    with metadata_service(metadata, credentials) as service:
        patch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", service)
        patch.setenv("AWS_ENDPOINT_URL", world.url)
        for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
            patch.setenv(name, str(disks / "none"))
        for name in CREDENTIALS:
            patch.delenv(name, raising=False)
        patch.setattr(boto3, "DEFAULT_SESSION", None)
        patch.setattr(aws_network, "device_of", lambda mac: "ens5")
        cloud = Aws(worlds.BUCKET, run=lambda command: commands.append(list(command)), disks=disks)
        try:
            yield Machine(cloud, instance, metadata, commands, role)
        finally:
            patch.undo()


@pytest.fixture(scope="module")
def machine(
    world: World, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Machine]:
    """A master of production, which carries a member: the only machine of its group."""
    name = f"{request.module.__name__.rsplit('.', 1)[1]}-1"
    disks = tmp_path_factory.mktemp("disks")
    worlds.disk(disks, worlds.volume(world, name))
    (instance,) = world.launch(name)
    metadata = worlds.entries(world, instance, machine=name, role="master")
    with boot(world, instance, metadata, f"role-of-{name}", disks) as booted:
        yield booted
