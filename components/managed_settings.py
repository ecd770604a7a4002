"""What only a stack with a managed control plane may say."""

from typing import Literal, Self

from pydantic import Field, model_validator

from components.setting_group import Group


class NodeSettings(Group):
    """The nodes for ordinary workloads."""

    type: str | None = Field(default=None, min_length=1)
    """Default: the cloud's smallest that system pods and a few workloads run well on."""
    per_zone: int = Field(default=1, ge=1, le=100)


class WatchedTargets(Group):
    """The targets of a load balancer as CloudWatch's dimensions name them: for what the internet cannot reach."""

    load_balancer: str = Field(pattern=r"^net/[\w-]+/[0-9a-f]{16}$")
    target_group: str = Field(pattern=r"^targetgroup/[\w-]+/[0-9a-f]{16}$")


class FailoverSettings(Group):
    """A name of the workloads that moves to another cluster when this one does not answer.

    Two stacks say it, with the same zone and name: one the primary, one the secondary.
    """

    zone_id: str = Field(pattern=r"^[0-9A-Z]{1,32}$")
    """Of Route 53."""
    name: str = Field(pattern=r"^([a-z0-9-]+\.)+[a-z]{2,}$")
    role: Literal["primary", "secondary"]
    target: str = Field(pattern=r"^([a-z0-9-]+\.)+[a-z]{2,}$")
    """DNS name of the load balancer of this cluster's workloads."""
    health_path: str | None = Field(default=None, pattern=r"^/\S*$")
    """What Route 53's checkers ask of the target over HTTPS, from the internet."""
    watched: WatchedTargets | None = None
    """What an alarm watches instead, where the target is private."""

    @model_validator(mode="after")
    def health_is_seen_in_one_way(self) -> Self:
        """A record without a health check never moves."""
        if (self.health_path is None) is (self.watched is None):
            raise ValueError("set healthPath for a public target or watched for a private one, and not both")
        return self


class DnsSettings(Group):
    """Names in DNS."""

    failover: FailoverSettings | None = None
