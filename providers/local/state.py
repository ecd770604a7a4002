"""What exists in the local cloud, on disk: all that the supervisor must know again after it was ended in any way."""

from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, field_serializer, field_validator
from pydantic_core.core_schema import ValidationInfo

from providers.local.cuts import Cut
from providers.local.keeper import Status
from providers.local.machines import Incarnation
from providers.local.objects import write_atomically
from providers.local.processes import Process
from providers.local.specs import AnySpec, BucketObject, Kind, Network, parse

REMOVAL_ORDER: Final = (
    Kind.READINESS,
    Kind.MACHINE_GROUP,
    Kind.BUCKET_OBJECT,
    Kind.BUCKET,
    Kind.SECRET,
    Kind.VOLUME,
    Kind.NETWORK,
)
"""Users of a thing before the thing."""


class Owner(BaseModel):
    """Who a resource belongs to."""

    model_config = ConfigDict(frozen=True)

    stack: str
    urn: str

    @classmethod
    def of(cls, urn: str) -> "Owner":
        """The owner that a URN names: urn:pulumi:<stack>::<project>::<types>::<name>."""
        return cls(stack=urn.split("::", maxsplit=1)[0].removeprefix("urn:pulumi:"), urn=urn)


class Resource(BaseModel):
    """A resource that exists, or is being made."""

    model_config = ConfigDict(frozen=True)

    id: str
    kind: Kind
    owner: Owner
    spec: AnySpec
    creator: Process | None = None
    """The provider that makes it, until it confirms; a resource whose creator died before that is removed."""
    unseen_by: str | None = None
    """The engine's backend that asked for it, until an engine shows that it knows it. An engine that is interrupted
    can lose what a provider confirmed: asked by the same stack of the same backend again, it is that one."""

    @field_validator("spec", mode="plain")
    @classmethod
    def _spec_of_kind(cls, value: Any, info: ValidationInfo) -> AnySpec:
        return parse(info.data["kind"], value) if isinstance(value, dict) else value

    @field_serializer("spec")
    def _spec_as_on_the_wire(self, spec: AnySpec) -> dict[str, Any]:
        return spec.wire()

    @property
    def is_orphan(self) -> bool:
        """Whether the provider that was making it died before it confirmed."""
        return self.creator is not None and not self.creator.alive()

    @property
    def network(self) -> str:
        """Name of the network that it is in; empty for an object, which is in its bucket's."""
        if isinstance(self.spec, BucketObject):
            return ""
        return self.spec.name if isinstance(self.spec, Network) else self.spec.network

    @property
    def identity(self) -> tuple[str, ...]:
        """What no other resource may have: its kind and its name, in the scope in which names differ."""
        return identity(self.kind, self.spec)


def identity(kind: Kind, spec: AnySpec) -> tuple[str, ...]:
    """See `Resource.identity`."""
    properties = spec.wire()
    match kind:
        case Kind.NETWORK | Kind.BUCKET:
            return (kind, properties["name"])
        case Kind.BUCKET_OBJECT:
            return (kind, properties["bucket"], properties["key"])
        case Kind.READINESS:
            return (kind, properties["network"], *properties["machines"])
        case _:
            return (kind, properties["network"], properties["name"])


class State(BaseModel):
    """All of it."""

    resources: dict[str, Resource] = Field(default_factory=dict)
    incarnations: dict[str, Incarnation] = Field(default_factory=dict)
    """`<network>/<machine>` → the last machine of that slot, running or not."""
    statuses: dict[str, Status] = Field(default_factory=dict)
    """Identity of an incarnation → what it said of itself last."""
    cuts: list[Cut] = Field(default_factory=list)
    inotify_instances: int | None = None
    """The host's own limit, to be put back at the end."""

    def of_kind(self, kind: Kind) -> list[Resource]:
        """All resources of a kind."""
        return [resource for resource in self.resources.values() if resource.kind is kind]

    def removal_order(self) -> list[Resource]:
        """All resources, in an order in which each can be removed."""
        return sorted(self.resources.values(), key=lambda resource: REMOVAL_ORDER.index(resource.kind))


def load(file: Path) -> State:
    """The state on disk; empty when there is none."""
    return State.model_validate_json(file.read_text()) if file.exists() else State()


def save(state: State, file: Path) -> None:
    """Replace the state on disk in one step."""
    write_atomically(file, state.model_dump_json(indent=1), scratch=file.parent)
