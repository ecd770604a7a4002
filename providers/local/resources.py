"""The local cloud's resources, as a Pulumi program uses them.

Every property is documented at its `specs` model; this module only gives them types that a program can be checked with.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import ClassVar

import pulumi


def camel(name: str) -> str:
    """`size_mb` → `sizeMb`, as the engine and the provider spell it."""
    head, *tail = name.split("_")
    return head + "".join(word.capitalize() for word in tail)


def snake(name: str) -> str:
    """`sizeMb` → `size_mb`, as Python spells it."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    """A network of zones that can be cut from each other."""

    name: pulumi.Input[str]
    """Names it on this host, on which it must be the only one."""
    cidr: pulumi.Input[str]
    """A /16 that neither the host nor another network uses."""
    zones: pulumi.Input[Sequence[pulumi.Input[str]]]
    """In order; more may be added at the end later."""


@dataclass(frozen=True, kw_only=True)
class VolumeArgs:
    """A disk that outlives the machines that mount it."""

    name: pulumi.Input[str]
    network: pulumi.Input[str]
    zone: pulumi.Input[str]
    size_mb: pulumi.Input[int]
    """MiB; it can grow, never shrink."""


@dataclass(frozen=True, kw_only=True)
class SlotArgs:
    """A place in a group that always has exactly one machine."""

    machine: pulumi.Input[str]
    """The machine's name, the only one in its network."""
    zone: pulumi.Input[str]
    address: pulumi.Input[str]
    """IPv4 without prefix length, in the zone's network or, with `edge`, in the edge segment's."""
    volume: pulumi.Input[str] | None = None
    """Name of the volume that the machine may attach."""
    edge: bool = False
    """Whether the machine stands on the edge segment; it still belongs to its zone and is cut with it."""


@dataclass(frozen=True, kw_only=True)
class MachineGroupArgs:
    """Machines of one kind, each replaced by itself when it dies."""

    name: pulumi.Input[str]
    network: pulumi.Input[str]
    role: pulumi.Input[str]
    image: pulumi.Input[str]
    """Folder with `root/` and, where the image has one, the `containerd/` template."""
    user_data: pulumi.Input[str]
    """What cloud-init gets. A change reaches machines when they are replaced, which they ask for themselves."""
    memory_mb: pulumi.Input[int]
    """MiB; each machine's limit."""
    slots: pulumi.Input[Sequence[SlotArgs]]


@dataclass(frozen=True, kw_only=True)
class SecretArgs:
    """A secret that machines of certain roles may read."""

    name: pulumi.Input[str]
    network: pulumi.Input[str]
    value: pulumi.Input[str]
    readers: pulumi.Input[Sequence[pulumi.Input[str]]]
    """Roles of machines."""


@dataclass(frozen=True, kw_only=True)
class BucketArgs:
    """An object store that the network's machines read and write."""

    name: pulumi.Input[str]
    """Names it on this host, on which it must be the only one."""
    network: pulumi.Input[str]


@dataclass(frozen=True, kw_only=True)
class BucketObjectArgs:
    """A file in a bucket."""

    bucket: pulumi.Input[str]
    """The bucket's name."""
    key: pulumi.Input[str]
    source: pulumi.Input[str]
    """Path of a file on this host."""
    sha256: pulumi.Input[str]
    """Of the file, in hexadecimal; another content is an error."""


@dataclass(frozen=True, kw_only=True)
class ReadinessArgs:
    """A wait until machines say that they are ready, with the templates that they shall have."""

    network: pulumi.Input[str]
    machines: pulumi.Input[Sequence[pulumi.Input[str]]]
    templates: pulumi.Input[Mapping[str, pulumi.Input[str]]]
    """Group → template."""
    timeout_seconds: pulumi.Input[int]


def properties(args: object) -> dict[str, object]:
    """An arguments object as a mapping; what is None is left out."""
    given = {field.name: getattr(args, field.name) for field in fields(args)}  # type: ignore[arg-type]
    return {name: _plain(value) for name, value in given.items() if value is not None}


def _plain(value: object) -> object:
    if isinstance(value, SlotArgs):
        return properties(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    if isinstance(value, pulumi.Output):
        return value.apply(_plain)
    return value


class LocalResource(pulumi.CustomResource):
    """What all resources of the local cloud share: their names and how their properties are spelt."""

    computed: ClassVar[tuple[str, ...]] = ()
    """Outputs that are not inputs."""

    def __init__(self, resource_name: str, args: object, opts: pulumi.ResourceOptions | None = None) -> None:
        props = properties(args) | dict.fromkeys(self.computed)
        super().__init__(f"local:index:{type(self).__name__}", resource_name, props, opts)

    def translate_input_property(self, prop: str) -> str:
        """How a property of this object is called in the provider. Names in the local cloud have no underscore."""
        return camel(prop)

    def translate_output_property(self, prop: str) -> str:
        """How an output of the provider is called on this object."""
        return snake(prop)


class Network(LocalResource):
    """See `NetworkArgs`."""

    computed = ("gateway", "edge_cidr", "zone_cidrs")

    name: pulumi.Output[str]
    cidr: pulumi.Output[str]
    zones: pulumi.Output[Sequence[str]]
    gateway: pulumi.Output[str]
    """The router's address on the edge segment."""
    edge_cidr: pulumi.Output[str]
    zone_cidrs: pulumi.Output[Mapping[str, str]]
    """Zone → its network."""

    def __init__(self, resource_name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(resource_name, args, opts)


class Volume(LocalResource):
    """See `VolumeArgs`."""

    computed = ("path",)

    name: pulumi.Output[str]
    network: pulumi.Output[str]
    zone: pulumi.Output[str]
    size_mb: pulumi.Output[int]
    path: pulumi.Output[str]
    """The sparse file that holds it."""

    def __init__(self, resource_name: str, args: VolumeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(resource_name, args, opts)


class MachineGroup(LocalResource):
    """See `MachineGroupArgs`."""

    computed = ("template",)

    name: pulumi.Output[str]
    network: pulumi.Output[str]
    role: pulumi.Output[str]
    image: pulumi.Output[str]
    user_data: pulumi.Output[str]
    memory_mb: pulumi.Output[int]
    slots: pulumi.Output[Sequence[Mapping[str, object]]]
    template: pulumi.Output[str]
    """Fingerprint of what its machines boot with: user data, image, memory."""

    def __init__(self, resource_name: str, args: MachineGroupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(resource_name, args, opts)


class Secret(LocalResource):
    """See `SecretArgs`."""

    name: pulumi.Output[str]
    network: pulumi.Output[str]
    value: pulumi.Output[str]
    readers: pulumi.Output[Sequence[str]]

    def __init__(self, resource_name: str, args: SecretArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(resource_name, replace(args, value=pulumi.Output.secret(args.value)), opts)


class Bucket(LocalResource):
    """See `BucketArgs`."""

    computed = ("url",)

    name: pulumi.Output[str]
    network: pulumi.Output[str]
    url: pulumi.Output[str]
    """Where the network's machines find it."""

    def __init__(self, resource_name: str, args: BucketArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(resource_name, args, opts)


class BucketObject(LocalResource):
    """See `BucketObjectArgs`."""

    computed = ("url",)

    bucket: pulumi.Output[str]
    key: pulumi.Output[str]
    source: pulumi.Output[str]
    sha256: pulumi.Output[str]
    url: pulumi.Output[str]

    def __init__(self, resource_name: str, args: BucketObjectArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(resource_name, args, opts)


class Readiness(LocalResource):
    """See `ReadinessArgs`. It exists once its machines are ready."""

    network: pulumi.Output[str]
    machines: pulumi.Output[Sequence[str]]
    templates: pulumi.Output[Mapping[str, str]]
    timeout_seconds: pulumi.Output[int]

    def __init__(self, resource_name: str, args: ReadinessArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(resource_name, args, opts)
