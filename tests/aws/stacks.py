"""The AWS stacks of the repository, built without an engine."""

import hashlib
import json
from base64 import b64decode
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import yaml
from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs

from components.node import bundle
from components.settings import Settings
from tests.program.recorder import Outputs, Registration, build
from tests.program.stacks import program, settings_of
from toolchain import artifacts, cloud_controller, cloud_libraries, debian_packages, versions
from toolchain.image import catalogue, container_images

NAMES = ("dev-aws", "small-aws", "prod-aws")
ACCOUNT = "123456789012"


def artifact(name: str, path: str, roles: tuple[str, ...]) -> artifacts.Artifact:
    """One that the toolchain says it made."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    return artifacts.Artifact(
        name=name, version="1", source=Path(__file__), sha256=digest, path=path, executable=True, roles=roles
    )


LIBRARIES = artifact("agent-libraries-aws", "/opt/kube-ha/libraries", ("master", "member"))
PACKAGES = artifact(debian_packages.NAME, debian_packages.PATH, debian_packages.ROLES)
CONTROLLER = artifact(
    f"image-{cloud_controller.TOOLS['aws']}",
    f"{catalogue.IMAGES}/{cloud_controller.TOOLS['aws']}.tar",
    catalogue.MASTER,
)
BINARIES = [
    artifact(name, f"{catalogue.BINARIES}/{name}", roles)
    for tool, roles in catalogue.ROLES.items()
    for name in versions.tool(tool).binaries
]
PLUGINS = [
    artifact(f"cni-{name}", f"{catalogue.CNI_PLUGINS}/{name}", catalogue.MASTER)
    for name in versions.tool("cni-plugins").binaries
]
IMAGES = [
    artifact(f"image-{name}", f"{catalogue.IMAGES}/{name}.tar", catalogue.MASTER)
    for name in (*container_images.CONTROL_PLANE, "kube-proxy", "coredns", "pause")
]
MADE = artifacts.Artifacts(image=Path(__file__).parent, artifacts=(*BINARIES, *PLUGINS, *IMAGES))
"""As many as the toolchain makes, under their own names: user data has to have room for them."""

AGENT = bundle.build()


class Aws(Outputs):
    """An AWS that answers what it would; all machine types have `memory_mib`."""

    def __init__(self, memory_mib: int = 8192, architecture: str = "x86_64") -> None:
        self.answers: dict[str, Any] = {
            "aws:ec2/getInstanceType:getInstanceType": {
                "memorySize": memory_mib,
                "supportedArchitectures": [architecture],
            },
            "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": ACCOUNT},
            "aws:index/getPartition:getPartition": {"partition": "aws"},
            "aws:ssm/getParameter:getParameter": {"value": "ami-newest"},
        }

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        identity, state = super().new_resource(args)
        made = {
            "allocationId": "eipalloc-1",
            "arn": f"arn:aws:{args.typ}:{args.name}",
            "arnSuffix": f"net/{args.name}/1",
            "bucket": f"{args.name}-1",
            "certificateAuthority": {"data": "Q0VSVElGSUNBVEU="},
            "dnsName": f"{args.name}.elb.eu-west-1.amazonaws.com",
            "endpoint": "https://0123456789ABCDEF.gr7.eu-west-1.eks.amazonaws.com",
            "latestVersion": 1,
            "name": args.name,
            "prefixListId": "pl-1",
            "zoneId": "Z1",
        }
        return identity, {**made, **state}

    def call(self, args: MockCallArgs) -> Any:
        answer = self.answers[args.token]
        return answer(args.args) if callable(answer) else answer


def register(stack: str, settings: Settings, *, preview: bool = False, aws: Aws | None = None) -> list[Registration]:
    """Everything that a stack with these settings registers."""
    with (
        mock.patch.object(artifacts, "load", return_value=MADE),
        mock.patch.object(cloud_libraries, "load", return_value=LIBRARIES),
        mock.patch.object(debian_packages, "load", return_value=PACKAGES),
        mock.patch.object(cloud_controller, "load", return_value=CONTROLLER),
        mock.patch.object(bundle, "build", return_value=AGENT),
    ):
        return build(lambda: program(stack, settings), stack, preview=preview, mocks=aws or Aws())


@cache
def built(stack: str) -> list[Registration]:
    """Everything that a stack of the repository registers."""
    return register(stack, settings_of(stack))


def of(stack: str, kind: str) -> dict[str, Registration]:
    """Resources of a type (`ec2.Vpc`) by name."""
    module, name = kind.split(".")
    return {
        found.name: found
        for found in built(stack)
        if found.type.startswith(f"aws:{module}/") and found.type.endswith(f":{name}")
    }


def user_data(template: Registration) -> str:
    """What the machines of a launch template boot with."""
    return b64decode(template.inputs["userData"]).decode()


def documents(stack: str) -> dict[str, dict[str, Any]]:
    """Launch template → the machine document in its user data."""
    return machine_documents(built(stack))


def machine_documents(registered: Iterable[Registration]) -> dict[str, dict[str, Any]]:
    """The same, of whatever was registered."""
    found = {}
    for template in (one for one in registered if one.type == "aws:ec2/launchTemplate:LaunchTemplate"):
        files = yaml.safe_load(user_data(template))["write_files"]
        content = next(file["content"] for file in files if file["path"].endswith("machine.json"))
        found[template.name] = json.loads(content)
    return found
