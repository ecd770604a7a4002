"""What a stack may be called. Pure.

Its name begins those of its resources, and most clouds say what is too long only when they are asked to make one: here
it is said before anything is made.
"""

import re
from typing import Final

from components.clouds import Cloud
from components.settings import SettingsError

LONGEST: Final = 24
"""The least that the clouds leave, the same everywhere. Of a load balancer's and a target group's 32 characters on AWS
(elbv2, CreateLoadBalancer and CreateTargetGroup) Pulumi takes 8, of an IAM role's 64 also the longest add-on of EKS 32;
of a service account's 30 on Google Cloud (iam v1, CreateServiceAccountRequest.accountId) `-nodes` takes 6. An Azure
Monitor workspace leaves 36 of 44, a DNS prefix of AKS 54, and the local cloud 29 of 40."""

NAME: Final = re.compile(r"[a-z](-?[a-z0-9])*")
"""Upper case is no bucket's and no storage account's, and two hyphens in a row are no key vault's."""

RESERVED: Final = "internal-"
"""How no load balancer's name may begin on AWS: its own names for those that are internal do."""


def check(stack: str, cloud: Cloud) -> None:
    """That every resource of this stack gets a name that its cloud takes.

    Raises:
        SettingsError: one would not.
    """
    if len(stack) > LONGEST:
        raise SettingsError(
            f"stack name: got {stack!r}, {len(stack)} characters; accepted: up to {LONGEST}, since it begins the names "
            "of resources."
        )
    if not NAME.fullmatch(stack):
        raise SettingsError(
            f"stack name: got {stack!r}; accepted: lower-case letters, digits and single hyphens between them, a "
            "letter first, such as prod-aws."
        )
    if cloud is Cloud.AWS and stack.startswith(RESERVED):
        raise SettingsError(f"stack name: got {stack!r}; on AWS no load balancer's name begins with {RESERVED}.")
