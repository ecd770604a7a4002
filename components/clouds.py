"""The clouds that a control plane may live in, their regions and zones. Pure: no SDK."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from components.aws.regions import REGIONS as AWS_REGIONS
from components.azure.regions import REGIONS as AZURE_REGIONS
from components.gcp.regions import REGIONS as GCP_REGIONS


class Cloud(StrEnum):
    """Where the control plane lives."""

    LOCAL = "local"
    AWS = "aws"
    AZURE = "azure"
    GCP = "gcp"


class Management(StrEnum):
    """Who runs the control plane's machines."""

    SELF_MANAGED = "self-managed"
    MANAGED = "managed"

    @property
    def module(self) -> str:
        """The module of a cloud's package that builds it."""
        return self.replace("-", "_")


OFFERS: Final[Mapping[Cloud, tuple[Management, ...]]] = {
    Cloud.LOCAL: (Management.SELF_MANAGED,),
    Cloud.AWS: (Management.SELF_MANAGED, Management.MANAGED),
    Cloud.AZURE: (Management.MANAGED,),
    Cloud.GCP: (Management.MANAGED,),
}
"""What there is in each cloud."""

LOCAL_ZONES: Final = ("zone-a", "zone-b", "zone-c", "zone-d", "zone-e")

REGIONS: Final[Mapping[Cloud, Mapping[str, tuple[str, ...]]]] = {
    Cloud.LOCAL: {"local": LOCAL_ZONES},
    Cloud.AWS: AWS_REGIONS,
    Cloud.AZURE: AZURE_REGIONS,
    Cloud.GCP: GCP_REGIONS,
}
"""Zones of each region, first choice first."""
