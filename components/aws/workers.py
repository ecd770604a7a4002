"""What workers on AWS join with: a secret with a bootstrap token, and a role that reads it, binaries, and no more."""

from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_aws import secretsmanager

from components.aws import policies
from components.aws.identity import Identity, IdentityArgs
from components.aws.secrets import RECOVERY_DAYS
from components.node.worker import SECRET

SUFFIX: Final = "worker"
"""Of the name of the instance profile, after the stack's."""


@dataclass(frozen=True, kw_only=True)
class WorkersArgs:
    """What they join with is made from."""

    uid: pulumi.Output[str]
    region: str
    key_arn: pulumi.Output[str]
    bucket_arn: pulumi.Output[str]


class Workers(pulumi.ComponentResource):
    """The secret has no content from here: the masters write it, and renew it before it expires."""

    token_arn: pulumi.Output[str]
    instance_profile_arn: pulumi.Output[str]

    def __init__(self, name: str, args: WorkersArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kube-ha:aws:Workers", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        token = secretsmanager.Secret(
            f"{name}-{SECRET}",
            name=pulumi.Output.concat("kube-ha/", args.uid, "/", SECRET),
            kms_key_id=args.key_arn,
            recovery_window_in_days=RECOVERY_DAYS,
            opts=child,
        )
        self.token_arn = token.arn
        allowed = policies.worker(args.region, token.arn, args.bucket_arn, args.key_arn)
        identity = Identity(f"{name}-{SUFFIX}", IdentityArgs(policy=allowed), opts=child)
        self.instance_profile_arn = identity.instance_profile_arn
        self.register_outputs({"instanceProfileArn": self.instance_profile_arn})
