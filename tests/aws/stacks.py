"""The AWS stacks of the repository, built without an engine."""

import json
from base64 import b64decode
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from unittest import mock

import yaml
from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs

from components import outputs
from components.node import bundle
from components.settings import Settings, load
from tests.program.artifacts import pretend
from tests.program.recorder import Outputs, Registration, build
from tests.program.test_settings import STACKS, as_engine_hands_it
from toolchain import artifacts, cloud_libraries

NAMES = ("dev-aws", "small-aws", "prod-aws")
ACCOUNT = "123456789012"

LIBRARIES = artifacts.Artifact(
    name="agent-libraries-aws",
    version="1",
    source=Path(__file__),
    sha256="a" * 64,
    path="/opt/kube-ha/libraries",
    executable=False,
    roles=("master", "member"),
)

AGENT = bundle.build()


class Aws(Outputs):
    """An AWS that answers what it would; all machine types have `memory_mib`."""

    def __init__(self, memory_mib: int = 8192, architecture: str = "x86_64") -> None:
        self.answers: dict[str, dict[str, Any]] = {
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
            "dnsName": f"{args.name}.elb.eu-west-1.amazonaws.com",
            "latestVersion": 1,
            "name": args.name,
            "prefixListId": "pl-1",
            "zoneId": "Z1",
        }
        return identity, {**made, **state}

    def call(self, args: MockCallArgs) -> Any:
        return self.answers[args.token]


def settings_of(stack: str) -> Settings:
    """Those of `stacks/Pulumi.<stack>.yaml`."""
    path = next(path for path in STACKS if path.name == f"Pulumi.{stack}.yaml")
    return load(as_engine_hands_it(yaml.safe_load(path.read_text())["config"]))


def program(stack: str, settings: Settings) -> Any:
    """What `__main__.py` does, less the engine's own."""
    from components.aws.self_managed import ControlPlane

    plane = ControlPlane(stack, outputs.ControlPlaneArgs(settings=settings, topology=settings.topology))
    return [getattr(plane, name) for name in outputs.OUTPUTS]


def register(stack: str, settings: Settings, *, preview: bool = False, aws: Aws | None = None) -> list[Registration]:
    """Everything that a stack with these settings registers."""
    with (
        pretend(Path(mkdtemp())),
        mock.patch.object(cloud_libraries, "load", return_value=LIBRARIES),
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
    found = {}
    for name, template in of(stack, "ec2.LaunchTemplate").items():
        files = yaml.safe_load(user_data(template))["write_files"]
        found[name] = json.loads(next(file["content"] for file in files if file["path"].endswith("machine.json")))
    return found
