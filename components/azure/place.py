"""Where resources of a control plane on Azure are made."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi


@dataclass(frozen=True, kw_only=True)
class Place:
    """A resource group, and what everything in it has in common."""

    resource_group: pulumi.Input[str]
    location: str
    tags: Mapping[str, str]
