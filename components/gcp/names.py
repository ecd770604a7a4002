"""What Google Cloud takes as a label, and IAM as a member. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from components.settings import SettingsError

LABEL_KEY: Final = re.compile(r"[a-z][-_a-z0-9]{0,62}")
LABEL_VALUE: Final = re.compile(r"[-_a-z0-9]{0,63}")

MEMBER: Final = re.compile(r"(user|group|serviceAccount|principal|principalSet):\S+")

CLUSTER_LABEL: Final = "kube-ha-cluster"


def labels(stack: str, tags: Mapping[str, str]) -> dict[str, str]:
    """The labels of everything in a stack.

    Raises:
        SettingsError: one line for each tag that is no label.
    """
    wrong = [
        f"kube-ha:tags: got {key}: {value}; a label of Google Cloud has lower-case letters, digits, hyphens and "
        "underscores, at most 63, with a letter first in its key."
        for key, value in tags.items()
        if not (LABEL_KEY.fullmatch(key) and LABEL_VALUE.fullmatch(value))
    ]
    if wrong:
        raise SettingsError("\n".join(wrong))
    return {**tags, CLUSTER_LABEL: stack}


def members(administrators: Sequence[str]) -> Sequence[str]:
    """Who administers, if IAM can know them.

    Raises:
        SettingsError: one line for each that it cannot.
    """
    wrong = [
        f"kube-ha:administrators: got {member!r}; a member of Google's IAM says what it is, such as "
        "user:ann@example.com or group:oncall@example.com."
        for member in administrators
        if not MEMBER.fullmatch(member)
    ]
    if wrong:
        raise SettingsError("\n".join(wrong))
    return administrators
