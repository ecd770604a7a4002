"""The clouds that a machine can be in. A cloud's module is imported only on its own machines."""

from importlib import import_module
from typing import Final, Protocol, cast

from components.node.agent.cloud import Cloud

CLOUDS: Final = ("aws", "local")


class UnknownCloudError(ValueError):
    """The machine document names a cloud that the agent does not know."""


class _Module(Protocol):
    def connect(self, bucket: str) -> Cloud: ...


def connect(cloud: str, bucket: str) -> Cloud:
    """The cloud called `cloud`, with the stack's bucket."""
    if cloud not in CLOUDS:
        raise UnknownCloudError(f"cloud: {cloud!r} is not known to this agent; it knows {', '.join(CLOUDS)}")
    return cast(_Module, import_module(f"{__name__}.{cloud}")).connect(bucket)
