"""Regions of Azure with availability zones. Pure: no SDK.

From the table "List of Azure regions" of Microsoft Learn (reliability/regions-list), those marked with availability
zones; a region that is not here may have gained some since. Every such region has three, named "1", "2" and "3";
which building a number means is each subscription's own.

qatarcentral is left out: AKS has no API Server VNet Integration there (aks/api-server-vnet-integration).
"""

from collections.abc import Mapping
from typing import Final

ZONES: Final = ("1", "2", "3")

REGIONS: Final[Mapping[str, tuple[str, ...]]] = dict.fromkeys(
    (
        "australiaeast",
        "brazilsouth",
        "canadacentral",
        "centralindia",
        "centralus",
        "eastasia",
        "eastus",
        "eastus2",
        "francecentral",
        "germanywestcentral",
        "israelcentral",
        "italynorth",
        "japaneast",
        "koreacentral",
        "northeurope",
        "norwayeast",
        "polandcentral",
        "southafricanorth",
        "southcentralus",
        "southeastasia",
        "spaincentral",
        "swedencentral",
        "switzerlandnorth",
        "uaenorth",
        "uksouth",
        "westeurope",
        "westus2",
        "westus3",
    ),
    ZONES,
)
