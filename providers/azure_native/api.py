"""A type of pulumi-azure-native as Azure's own library knows it: the request that makes it, and the body it takes."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from importlib.metadata import version
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from providers.azure_native.naming import camel

SUBSCRIPTION: Final = "subscription_id"
ROOT: Final = "azure.mgmt."


@dataclass(frozen=True, kw_only=True)
class Api:
    """Where a library has a type."""

    package: str
    """On the registry, without its common beginning: `containerservice`."""
    module: str
    """`containerservice`, or with a version where the library has several."""
    operations: str = "_operations"
    """The module of its operations that has the request."""
    request: str
    """The function that builds the request."""
    body: str
    """The class of the request's body."""
    always: Mapping[str, str] = field(default_factory=dict)
    """Properties that have one value only, which is in the request's path already."""

    @cached_property
    def builder(self) -> Any:
        """The function, with the checks of what is in its path switched on, where the library has them."""
        operations = import_module(f"{ROOT}{self.module}.operations.{self.operations}")
        operations._SERIALIZER.client_side_validation = True
        return getattr(operations, self.request)

    @cached_property
    def model(self) -> Any:
        return getattr(import_module(f"{ROOT}{self.module}.models"), self.body)

    @cached_property
    def parameters(self) -> Mapping[str, str]:
        """What is in the request's path: property → parameter."""
        given = inspect.signature(self.builder).parameters.values()
        return {
            camel(one.name): one.name
            for one in given
            if one.kind is one.POSITIONAL_OR_KEYWORD and one.name != SUBSCRIPTION
        }

    @property
    def last(self) -> str:
        """The property that names the resource itself."""
        return list(self.parameters)[-1]

    def identity(self, properties: Mapping[str, Any], subscription: str) -> str:
        """The ID that Azure gives a resource: the path of the request that makes it.

        Raises:
            ValueError: a part of it is missing, or is not what the library lets through.
        """
        missing = sorted(name for name in self.parameters if name not in properties)
        if missing:
            raise ValueError(f"{', '.join(missing)}: required, they are part of the resource's ID")
        arguments = {parameter: properties[name] for name, parameter in self.parameters.items()}
        if SUBSCRIPTION in inspect.signature(self.builder).parameters:
            arguments[SUBSCRIPTION] = subscription
        path = unquote(urlsplit(self.builder(**arguments).url.lstrip("/")).path)
        return f"/{path}"

    @property
    def words(self) -> str:
        """For whoever reads what a rehearsal proves."""
        name = f"azure-mgmt-{self.package}"
        return f"{name} {version(name)}, {self.body}"
