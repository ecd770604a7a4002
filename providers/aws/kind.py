"""What a resource type of the stand-in is: how it is made, found, changed and removed by AWS's own requests."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from providers.aws.connection import Aws

Properties = dict[str, Any]
"""As the engine spells them: camelCase."""


@dataclass(frozen=True)
class Made:
    """A resource that now exists."""

    id: str
    outputs: Properties = field(default_factory=dict)
    """Beside its inputs."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked for."""

    inputs: Properties
    tags: Mapping[str, str]
    """The resource's own and the provider's default ones."""


Create = Callable[[Aws, Request], Made]
Find = Callable[[Aws, str, Properties], Any]
"""Raises ClientError or returns something false where the resource is gone."""
Update = Callable[[Aws, str, Properties, Request], Properties]
"""From the state before to what changed among the outputs."""
Delete = Callable[[Aws, str, Properties], Any]


def nothing(aws: Aws, identity: str, state: Properties) -> Any:
    """Of what goes with its owner."""
    return True


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A resource type."""

    inputs: frozenset[str]
    """Property names that are covered."""
    create: Create
    find: Find = nothing
    delete: Delete = nothing
    update: Update | None = None
    replaces: frozenset[str] = frozenset()
    """Properties that AWS cannot change; all of them where there is no `update`."""
    named: str | None = None
    """Property that gets a name where the program gives none."""
    changing: frozenset[str] = frozenset()
    """Outputs that an update changes."""
    default_tags: bool = True
    """Whether the provider's default tags reach it; a group's tags are a list of its own making."""
    emulated: bool = True
    """Whether the emulator carries it out; if not, requests are only held against AWS's own model."""

    @property
    def taggable(self) -> bool:
        """Whether it carries its own tags and the provider's."""
        return "tags" in self.inputs and self.default_tags


def names(text: str) -> frozenset[str]:
    """A set of property names, from words."""
    return frozenset(text.split())


def pascal(value: Any) -> Any:
    """Properties as AWS spells them: `httpTokens` → `HttpTokens`, all the way down."""
    if isinstance(value, dict):
        return {name[0].upper() + name[1:]: pascal(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [pascal(item) for item in value]
    return value


def pick(inputs: Properties, text: str) -> Properties:
    """Some properties, as AWS spells them; those that are not given are left out."""
    spelt: Properties = pascal({name: inputs[name] for name in text.split() if name in inputs})
    return spelt


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as most services take them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def tag_specification(resource: str, tags: Mapping[str, str]) -> list[dict[str, Any]]:
    """Tags as EC2 takes them at a creation."""
    return [{"ResourceType": resource, "Tags": tag_list(tags)}] if tags else []
