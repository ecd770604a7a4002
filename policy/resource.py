"""A resource and a stack of them, as rules see them: no Pulumi, so that a rule can be run on what was written down."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final

from policy.properties import Properties, UndecidedError

CONTROL_PLANE: Final = "kube-ha:*:ControlPlane"
"""Every control plane component of this project, whatever its cloud."""

VERSIONED: Final = re.compile(r"^(azure-native:[a-z]+)/v\d+[a-z0-9]*:")


def plain_type(token: str) -> str:
    """A type without the API version that Azure's carry: rules hold for all of them."""
    return VERSIONED.sub(r"\1:", token)


def matches(token: str, patterns: Sequence[str]) -> bool:
    """Whether a type is one of these; `*` matches any part of it."""
    plain = plain_type(token)
    return any(fnmatchcase(plain, pattern) for pattern in patterns)


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A resource as the engine hands it to a policy."""

    type: str
    name: str
    urn: str
    properties: Properties
    protect: bool = False
    parent: str = ""
    """URN; empty at the root."""
    component: Properties = field(default_factory=lambda: Properties({}))
    """What the component of this project that made it declares: known also where the resource's own values are not."""
    dependencies: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Property → URNs of the resources that its value came from. Only stack rules know it."""

    def is_a(self, *patterns: str) -> bool:
        """Whether the type is one of these; `*` matches any part of it."""
        return matches(self.type, patterns)

    @property
    def in_control_plane(self) -> bool:
        """Whether a control plane component of this project made it: the URN names the types of all parents."""
        chain = self.urn.split("::")[2:3]
        return any(fnmatchcase(ancestor, CONTROL_PLANE) for types in chain for ancestor in types.split("$"))

    @property
    def label(self) -> str:
        """Everything that people wrote on it, in lower case: what a resource is for, as far as it says."""
        words = [self.name]
        for path in ("name", "bucket", "tags", "labels"):
            try:
                value = self.properties.any(path)
            except UndecidedError:
                continue
            words.extend(map(str, [*value, *value.values()] if isinstance(value, Mapping) else [value]))
        return " ".join(words).lower()


@dataclass(frozen=True)
class Stack:
    """All resources of a stack."""

    resources: Sequence[Resource]

    def of(self, *patterns: str) -> Iterator[Resource]:
        """Resources of these types."""
        return (resource for resource in self.resources if resource.is_a(*patterns))

    def inside(self, component: Resource, *patterns: str) -> Iterator[Resource]:
        """Resources of these types that a component made, at any depth."""
        parents = {resource.urn: resource.parent for resource in self.resources}
        for resource in self.of(*patterns):
            ancestor = resource.parent
            while ancestor and ancestor != component.urn:
                ancestor = parents.get(ancestor, "")
            if ancestor:
                yield resource

    def sources(self, resource: Resource, path: str, *patterns: str) -> Iterator[Resource]:
        """Resources of these types from which a property got its value, known or not."""
        urns = {
            urn
            for name, found in resource.dependencies.items()
            if name == path.split(".", maxsplit=1)[0]
            for urn in found
        }
        return (source for source in self.of(*patterns) if source.urn in urns)

    def about(self, subject: Resource, path: str, *patterns: str) -> Iterator[Resource]:
        """Resources of these types whose property names the subject: by what it came from, else by its name or id."""
        for resource in self.of(*patterns):
            if subject.urn in resource.dependencies.get(path, ()):
                yield resource
            elif not resource.dependencies.get(path):
                named = resource.properties.text(path)
                if named and named in [subject.properties.values.get(key) for key in ("id", "name", "bucket")]:
                    yield resource
