"""What each cloud takes as a tag of its resources, and how many. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from components.clouds import Cloud

OURS: Final = "kube-ha"
"""How the keys of our own tags begin: by them machines and policies find what belongs to a cluster."""

MOST: Final = 40
"""Of 50 on AWS and Azure and 64 on Google Cloud; a machine has up to ten more of its own."""


@dataclass(frozen=True)
class Tagging:
    """A cloud's tags: all of a key, all of a value, and the same in words."""

    key: re.Pattern[str]
    value: re.Pattern[str]
    accepted: str


TAGGING: Final[Mapping[Cloud, Tagging]] = {
    # Amazon EC2 User Guide, "Tag restrictions".
    Cloud.AWS: Tagging(
        re.compile(r"(?!(?i:aws:))[\w .:/=+@-]{1,128}"),
        re.compile(r"[\w .:/=+@-]{0,256}"),
        "a tag of AWS has letters, digits, spaces and . : / = + @ - _, at most 128 in its key, which does not begin "
        "with aws:, and 256 in its value",
    ),
    # Azure Resource Manager, "Use tags": a storage account's keys have 128 characters, others' 512.
    Cloud.AZURE: Tagging(
        re.compile(r"[^<>%&\\?/]{1,128}"),
        re.compile(r".{0,256}"),
        r"a tag of Azure has at most 128 characters in its key, none of < > % & \ ? / among them, and 256 in its value",
    ),
    # Google Cloud, "Requirements for labels".
    Cloud.GCP: Tagging(
        re.compile(r"[a-z][-_a-z0-9]{0,62}"),
        re.compile(r"[-_a-z0-9]{0,63}"),
        "a label of Google Cloud has lower-case letters, digits, hyphens and underscores, at most 63, with a letter "
        "first in its key",
    ),
}


def check(cloud: Cloud, tags: Mapping[str, str]) -> None:
    """That this cloud takes all of these tags.

    Raises:
        ValueError: it does not, or one is ours.
    """
    if len(tags) > MOST:
        raise ValueError(f"tags: got {len(tags)}; accepted: up to {MOST}")
    taken = TAGGING[cloud]
    for key, value in tags.items():
        if key.startswith(OURS):
            raise ValueError(f"tags: got {key}: {value}; keys that begin with {OURS} are the program's own")
        if not (taken.key.fullmatch(key) and taken.value.fullmatch(value)):
            raise ValueError(f"tags: got {key}: {value}; {taken.accepted}")
