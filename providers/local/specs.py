"""What each resource of the local cloud is asked to be. Pure; the provider, the supervisor and its state share it."""

import hashlib
import json
import re
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic.alias_generators import to_camel

NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,38}[a-z0-9]|[a-z]")
MAX_ZONES: Final = 200
"""Zone number i is x.y.i.0/24; numbers above are for the host's own link."""


def _name(value: str) -> str:
    if not NAME.fullmatch(value):
        raise ValueError(f"{value!r} is no name; accepted: up to 40 of a-z, 0-9 and -, from a letter on")
    return value


def _network(value: str) -> str:
    network = IPv4Network(value)
    if network.prefixlen != 16 or not network.is_private:
        raise ValueError(f"{value} is not a private /16; accepted for example: 10.77.0.0/16")
    return str(network)


def _key(value: str) -> str:
    if not value or value.startswith("/") or "\0" in value:
        raise ValueError(f"{value!r} is no key; accepted: any text that does not start with /")
    return value


Name = Annotated[str, AfterValidator(_name)]
Cidr = Annotated[str, AfterValidator(_network)]
Key = Annotated[str, AfterValidator(_key)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Kind(StrEnum):
    """Types of resources that the supervisor keeps."""

    NETWORK = "Network"
    VOLUME = "Volume"
    MACHINE_GROUP = "MachineGroup"
    SECRET = "Secret"  # noqa: S105 - the type's name
    BUCKET = "Bucket"
    BUCKET_OBJECT = "BucketObject"
    READINESS = "Readiness"


class Spec(BaseModel):
    """Base: immutable, camelCase outside, an unknown property is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    def wire(self) -> dict[str, Any]:
        """As the engine and the control API spell it."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class Network(Spec):
    """A router, an edge segment, and zones."""

    name: Name
    cidr: Cidr
    zones: tuple[Name, ...] = Field(min_length=1, max_length=MAX_ZONES)

    @model_validator(mode="after")
    def _zones_differ(self) -> Self:
        if len(set(self.zones)) != len(self.zones):
            raise ValueError(f"zones: {', '.join(self.zones)}: each may be named once")
        return self


class Volume(Spec):
    """A disk of `size_mb` MiB in a zone."""

    name: Name
    network: Name
    zone: Name
    size_mb: int = Field(ge=1)


class Slot(Spec):
    """A place that always has one machine."""

    machine: Name
    zone: Name
    address: IPv4Address
    volume: Name | None = None
    edge: bool = False


class MachineGroup(Spec):
    """Machines of one role, image, and template; `memory_mb` MiB each."""

    name: Name
    network: Name
    role: Name
    image: str
    user_data: str
    memory_mb: int = Field(ge=16)
    slots: tuple[Slot, ...] = Field(min_length=1)

    @property
    def template(self) -> str:
        """Fingerprint of what machines boot with: user data, image (its path says its content), size."""
        return hashlib.sha256(json.dumps([self.user_data, self.image, self.memory_mb]).encode()).hexdigest()


class Secret(Spec):
    """A value for machines of the roles `readers`."""

    name: Name
    network: Name
    value: str
    readers: tuple[Name, ...]


class Bucket(Spec):
    """An object store of a network."""

    name: Name
    network: Name


class BucketObject(Spec):
    """A file of the host in a bucket."""

    bucket: Name
    key: Key
    source: str
    sha256: Sha256


class Readiness(Spec):
    """A wait for machines."""

    network: Name
    machines: tuple[Name, ...]
    templates: dict[Name, Sha256]
    timeout_seconds: int = Field(ge=1)


AnySpec = Network | Volume | MachineGroup | Secret | Bucket | BucketObject | Readiness

SPECS: Final[dict[Kind, type[AnySpec]]] = {
    Kind.NETWORK: Network,
    Kind.VOLUME: Volume,
    Kind.MACHINE_GROUP: MachineGroup,
    Kind.SECRET: Secret,
    Kind.BUCKET: Bucket,
    Kind.BUCKET_OBJECT: BucketObject,
    Kind.READINESS: Readiness,
}


def parse(kind: Kind, properties: dict[str, Any]) -> AnySpec:
    """The spec that `properties` (camelCase) describe.

    Raises:
        ValidationError: of pydantic, naming each property that is wrong.
    """
    return TypeAdapter[AnySpec](SPECS[kind]).validate_python(properties)


def failures(error: ValidationError) -> list[tuple[str, str]]:
    """A validation error as (property, reason)."""
    return [
        (".".join(str(part) for part in item["loc"]), item["msg"].removeprefix("Value error, "))
        for item in error.errors()
    ]
