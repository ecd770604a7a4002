"""Everything that the stand-in for the official azure-native provider covers."""

import re
import secrets
from collections.abc import Iterator
from typing import Any, Final

from providers.azure_native import checking, outputs
from providers.azure_native.api import Api
from providers.azure_native.kinds import TYPES
from providers.azure_native.lookups import LOOKUPS, SUBSCRIPTION
from providers.published import Config, Kind, Package, Problem
from providers.stand_in import UNKNOWN, Properties

NAME: Final = "azure-native"

RESOURCE: Final = re.compile(r"/subscriptions/[^/\s]+/resource[gG]roups/[^\s]+")
"""The ID of something that somebody made; built-in roles are of no resource group."""

ROLE_ASSIGNMENT: Final = "authorization:RoleAssignment"
NEVER_CHANGED: Final = "location"
IMPLIED: Final = "/blobServices/default"
"""Of every storage account from its first minute."""


def package(version: str) -> Package:
    """The package.

    Args:
        version: of the SDK.
    """
    return Package(
        name=NAME,
        version=version,
        kinds={f"{NAME}:{token}": kind(token, api) for token, api in TYPES.items()},
        lookups=LOOKUPS,
        auto_name=lambda name: f"{name}{secrets.token_hex(4)}",
        refers_to=lambda text: text if RESOURCE.fullmatch(text) else None,
    )


def kind(token: str, api: Api) -> Kind:
    """A type, as the stand-in serves it."""

    own = outputs.OWN.get(token)

    def identify(given: Properties, config: Config) -> str:
        return api.identity(named(token, given), SUBSCRIPTION)

    def added(identity: str, given: Properties, config: Config) -> dict[str, Any]:
        return {**outputs.common(identity, given), **(own(identity, given) if own else {})}

    return Kind(
        checked_against=api.words,
        check=lambda given: problems(token, api, given),
        identify=identify,
        outputs=added,
        unforeseen=frozenset({"identity"}),
        named=None if token == ROLE_ASSIGNMENT or api.always else api.last,
        fixed=frozenset({*api.parameters, NEVER_CHANGED}),
        needs=lambda given, config: above(identify(given, config)),
    )


def named(token: str, given: Properties) -> Properties:
    """Properties with the name that Azure has for an assignment: one of its own for each who, what and where."""
    if token != ROLE_ASSIGNMENT:
        return given
    name = outputs.unique(given["scope"], given["principalId"], given["roleDefinitionId"])
    return {"roleAssignmentName": name, **given}


def problems(token: str, api: Api, given: Properties) -> Iterator[Problem]:
    """What Azure would not take: in the request's path and in its body."""
    path = {name: given[name] for name in api.parameters if name in given}
    for name, only in api.always.items():
        if given.get(name) not in (only, UNKNOWN):
            yield Problem(name, f"got {given.get(name)!r}; accepted: {only}")
    if token != ROLE_ASSIGNMENT and UNKNOWN not in path.values():
        try:
            api.identity(path, SUBSCRIPTION)
        except ValueError as error:
            yield Problem("", str(error))
    body = {name: value for name, value in given.items() if name not in api.parameters and name not in api.always}
    yield from checking.check(body, api.model)


def above(identity: str) -> Iterator[str]:
    """The ID of what a resource is a part of: another resource, or its resource group."""
    owner = identity.rsplit("/", 2)[0]
    head, found, namespace = owner.rpartition("/providers/")
    if found and "/" not in namespace:
        owner = head
    owner = owner.removesuffix(IMPLIED)
    if RESOURCE.fullmatch(owner):
        yield owner
