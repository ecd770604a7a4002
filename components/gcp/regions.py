"""Regions of Google Cloud and their zones. Pure: no SDK.

From the table "Available regions and zones" of Google's Compute Engine documentation; a region that is not here may
have been added since.
"""

from collections.abc import Mapping
from typing import Final

LETTERS: Final[Mapping[str, str]] = {
    "asia-east1": "abc",
    "asia-northeast1": "abc",
    "asia-south1": "abc",
    "asia-southeast1": "abc",
    "australia-southeast1": "abc",
    "europe-north1": "abc",
    "europe-west1": "bcd",
    "europe-west2": "abc",
    "europe-west3": "abc",
    "europe-west4": "abc",
    "europe-west6": "abc",
    "northamerica-northeast1": "abc",
    "southamerica-east1": "abc",
    "us-central1": "abcf",
    "us-east1": "bcd",
    "us-east4": "abc",
    "us-west1": "abc",
    "us-west2": "abc",
}

REGIONS: Final[Mapping[str, tuple[str, ...]]] = {
    region: tuple(f"{region}-{letter}" for letter in letters) for region, letters in LETTERS.items()
}
