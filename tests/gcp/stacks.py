"""The GKE stacks of the repository, built without an engine."""

from functools import cache
from typing import Any, Final
from unittest import mock

from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs

from components.settings import Settings
from providers.gcp.package import KINDS, get_project
from providers.messages import whole
from tests.program.recorder import Outputs, Registration, build
from tests.program.stacks import program, settings_of

NAMES: Final = ("dev-gke", "small-gke", "prod-gke")
PROJECT: Final = "kube-ha-tests"


class Gcp(Outputs):
    """A Google Cloud that answers as the stand-in for its provider does, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, Any]]] = []
        """Type, name and inputs of each resource."""

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        self.asked.append((args.typ, args.name, whole(dict(args.inputs))))
        kind = KINDS.get(args.typ)
        if kind is None:
            return super().new_resource(args)
        inputs = {"name": args.name, **args.inputs} if kind.named else args.inputs
        config = {"project": PROJECT, "region": "europe-west1"}
        identity = kind.identify(inputs, config)
        return identity, {**inputs, **kind.outputs(identity, inputs, config)}

    def call(self, args: MockCallArgs) -> Any:
        return get_project(args.args, {"project": PROJECT})


def register(stack: str, settings: Settings, *, preview: bool = False, cloud: Gcp | None = None) -> list[Registration]:
    """Everything that a stack with these settings registers."""
    with mock.patch.dict("os.environ", {"GOOGLE_PROJECT": PROJECT}):
        return build(lambda: program(stack, settings), stack, preview=preview, mocks=cloud or Gcp())


@cache
def asked(stack: str) -> list[tuple[str, str, dict[str, Any]]]:
    """What a stack of the repository asks Google for, resource by resource."""
    cloud = Gcp()
    register(stack, settings_of(stack), cloud=cloud)
    return [found for found in cloud.asked if found[0].startswith("gcp:")]


@cache
def built(stack: str) -> list[Registration]:
    """Everything that a stack of the repository registers."""
    return register(stack, settings_of(stack))


def of(stack: str, kind: str) -> dict[str, Registration]:
    """Resources of a type (`container.Cluster`) by name."""
    return {found.name: found for found in built(stack) if matches(found, kind)}


def the(found: list[Registration], kind: str) -> dict[str, Any]:
    """The properties of the only resource of a type."""
    (only,) = (one for one in found if matches(one, kind))
    return only.inputs


def matches(found: Registration, kind: str) -> bool:
    module, name = kind.split(".")
    return found.type.startswith(f"gcp:{module}/") and found.type.endswith(f":{name}")
