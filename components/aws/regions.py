"""Regions of AWS and the zones that they publish. Pure: no SDK.

Zone letters as `DescribeAvailabilityZones` lists them for regions that an account has without asking. Which letters an
account sees in the oldest regions (us-east-1, us-west-1, ap-northeast-1) is its own; AWS refuses a subnet in another.
"""

from collections.abc import Mapping
from typing import Final

LETTERS: Final[Mapping[str, str]] = {
    "ap-northeast-1": "acd",
    "ap-northeast-2": "abcd",
    "ap-northeast-3": "abc",
    "ap-south-1": "abc",
    "ap-southeast-1": "abc",
    "ap-southeast-2": "abc",
    "ca-central-1": "abd",
    "eu-central-1": "abc",
    "eu-north-1": "abc",
    "eu-west-1": "abc",
    "eu-west-2": "abc",
    "eu-west-3": "abc",
    "sa-east-1": "abc",
    "us-east-1": "abcdef",
    "us-east-2": "abc",
    "us-west-1": "ab",
    "us-west-2": "abcd",
}

REGIONS: Final[Mapping[str, tuple[str, ...]]] = {
    region: tuple(f"{region}{letter}" for letter in letters) for region, letters in LETTERS.items()
}
