"""What every control plane on AWS has, whoever runs it: its provider, its key, and what it says of its topology."""

import pulumi
import pulumi_aws as aws

from components.aws import policies
from components.aws.key import Key, KeyArgs
from components.declaration import declaration
from components.outputs import ControlPlaneArgs
from components.scenarios import Scenario


class ControlPlaneOnAws(pulumi.ComponentResource):
    """The part of a control plane that does not depend on who runs it; every resource carries the cluster's tag."""

    zones: pulumi.Output[list[str]]
    masters: pulumi.Output[list[str]]
    members: pulumi.Output[list[str]]
    survives: pulumi.Output[list[str]]

    def __init__(self, name: str, args: ControlPlaneArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        declared = declaration(args.settings, args.topology)
        provider = aws.Provider(
            name,
            region=args.settings.region,
            default_tags=aws.ProviderDefaultTagsArgs(tags={**args.settings.tags, policies.CLUSTER_TAG: name}),
        )
        ours = pulumi.ResourceOptions(providers={"aws": provider})
        super().__init__("kube-ha:aws:ControlPlane", name, declared, pulumi.ResourceOptions.merge(opts, ours))
        self.name = name
        self.settings, self.topology = args.settings, args.topology
        self.frugal = self.topology.scenario is Scenario.DEVELOPMENT
        self.child = pulumi.ResourceOptions(parent=self)
        self.asking = pulumi.InvokeOptions(parent=self, provider=provider)
        self.partition = aws.get_partition(opts=self.asking).partition
        self.account = aws.get_caller_identity(opts=self.asking).account_id
        self.zones = pulumi.Output.from_input(list(self.topology.zones))
        self.masters = pulumi.Output.from_input([master.name for master in self.topology.masters])
        self.members = pulumi.Output.from_input([member.name for member in self.topology.members])
        self.survives = pulumi.Output.from_input(list(self.topology.survives))

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
