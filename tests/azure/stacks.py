"""The AKS stacks of the repository, built without an engine on an Azure that answers as the stand-in does."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs

from components.settings import Settings
from providers.azure_native.lookups import client
from providers.azure_native.package import package
from providers.published import Kind
from tests.program.recorder import Outputs, Registration, build
from tests.program.stacks import program, settings_of

NAMES: Final = ("dev-aks", "small-aks", "prod-aks")
HIGHLY_AVAILABLE: Final = ("small-aks", "prod-aks")
KUBECONFIG: Final = "apiVersion: v1\nkind: Config\n"


@cache
def covered() -> Mapping[str, Kind]:
    """What the stand-in covers; a second or more, in which Azure's own libraries are read."""
    return package("0").kinds


@dataclass(frozen=True)
class Asked:
    """A resource as Azure is asked for it."""

    type: str
    name: str
    inputs: dict[str, Any]
    identity: str


class Azure(Outputs):
    """Remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        kind = covered().get(args.typ)
        if kind is None:
            return super().new_resource(args)
        given = dict(args.inputs)
        self_named = {kind.named: given.get(kind.named, f"{args.name}1a2b3c4d")} if kind.named else {}
        identity = kind.identify({**given, **self_named}, {})
        self.asked.append(Asked(args.typ.removeprefix("azure-native:"), args.name, given, identity))
        return identity, {**given, **kind.outputs(identity, {**given, **self_named}, {})}

    def call(self, args: MockCallArgs) -> Any:
        if args.token.endswith(":getClientConfig"):
            return client({}, {})
        return {"kubeconfigs": [{"name": "clusterUser", "value": b64encode(KUBECONFIG.encode()).decode()}]}


def register(
    stack: str, settings: Settings, *, preview: bool = False, cloud: Azure | None = None
) -> list[Registration]:
    """Everything that a stack with these settings registers."""
    return build(lambda: program(stack, settings), stack, preview=preview, mocks=cloud or Azure())


def ask(stack: str, **changes: Any) -> list[Asked]:
    """What a stack with these settings asks Azure for."""
    cloud = Azure()
    register(stack, settings_of(stack, **changes), cloud=cloud)
    return cloud.asked


@cache
def asked(stack: str) -> list[Asked]:
    """What a stack of the repository asks Azure for."""
    return ask(stack)


@cache
def built(stack: str) -> list[Registration]:
    """Everything that a stack of the repository registers."""
    return register(stack, settings_of(stack))


def of(stack: str, kind: str) -> dict[str, dict[str, Any]]:
    """Inputs of the resources of a type (`network:Subnet`), by name."""
    return inputs(asked(stack), kind)


def inputs(found: list[Asked], kind: str) -> dict[str, dict[str, Any]]:
    return {one.name: one.inputs for one in found if one.type == kind}


def cluster(stack: str, **changes: Any) -> dict[str, Any]:
    """Inputs of the managed cluster."""
    (only,) = inputs(ask(stack, **changes) if changes else asked(stack), "containerservice:ManagedCluster").values()
    return only
