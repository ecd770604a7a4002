"""What every control plane on AWS has, whoever runs it: its provider, its key, and what it says of its topology."""

import pulumi
import pulumi_aws as aws

from components.aws import policies
from components.aws.key import Key, KeyArgs
from components.control_plane import ControlPlane, ControlPlaneArgs
from components.scenarios import Scenario


class ControlPlaneOnAws(ControlPlane):
    """The part of a control plane that does not depend on who runs it; every resource carries the cluster's tag."""

    def __init__(self, name: str, args: ControlPlaneArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        provider = aws.Provider(
            name,
            region=args.settings.region,
            default_tags=aws.ProviderDefaultTagsArgs(tags={**args.settings.tags, policies.CLUSTER_TAG: name}),
        )
        ours = pulumi.ResourceOptions(providers={"aws": provider})
        super().__init__(name, args, pulumi.ResourceOptions.merge(opts, ours))
        self.frugal = self.topology.scenario is Scenario.DEVELOPMENT
        self.asking = pulumi.InvokeOptions(parent=self, provider=provider)
        self.partition = aws.get_partition(opts=self.asking).partition
        self.account = aws.get_caller_identity(opts=self.asking).account_id

    def make_key(self) -> Key:
        """What everything is encrypted under."""
        return Key(
            self.name,
            KeyArgs(
                partition=self.partition,
                region=self.settings.region,
                account=self.account,
                outlives_the_stack=not self.frugal,
            ),
            opts=self.child,
        )
