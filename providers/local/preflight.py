"""Checking a resource before anything is made: its own properties, what exists, what is planned, and the host."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from providers.local import specs, state
from providers.local.checks import Failure, fit
from providers.local.client import Client
from providers.local.host import Host, lacks, look
from providers.local.properties import has_unknown
from providers.local.specs import Kind
from providers.local.state import Owner, Resource


class Preflight:
    """The checks of one run of the provider; it remembers what was checked, which is what is planned."""

    def __init__(self, client: Client) -> None:
        self._root = client.root
        self._planned: dict[str, Resource] = {}

    # Host and records as they were at the beginning: what is made meanwhile is among the planned, and counts once.
    @cached_property
    def _host(self) -> Host:
        return look(self._root)

    @cached_property
    def _existing(self) -> list[Resource]:
        # The file, not the supervisor: a preview starts nothing.
        records = state.load(self._root / "state.json").resources.values()
        return [resource for resource in records if not resource.is_orphan]

    def is_unseen(self, identity: str) -> bool:
        """Whether this resource was there at the beginning with no engine known to have written it down."""
        return any(resource.id == identity and resource.unseen_by is not None for resource in self._existing)

    def failures(self, urn: str, kind: Kind, properties: dict[str, Any]) -> Iterator[Failure]:
        """Everything that is wrong with a resource; what is not known yet is not judged."""
        unknown = {name for name, value in properties.items() if has_unknown(value)}
        try:
            known = {name: value for name, value in properties.items() if name not in unknown}
            spec = specs.parse(kind, known)
        except ValidationError as error:
            yield from (found for found in specs.failures(error) if found[0].split(".")[0] not in unknown)
            return
        if unknown:
            return
        resource = Resource(id=urn, kind=kind, owner=Owner.of(urn), spec=spec)
        planned = [other for other in self._planned.values() if other.owner.urn != urn]
        self._planned[urn] = resource
        others = {other.owner.urn: other for other in [*self._existing, *planned] if other.owner.urn != urn}
        if kind is not Kind.READINESS:
            yield from fit(resource, list(others.values()))
        yield from lacks(resource, planned, self._existing, self._host)
