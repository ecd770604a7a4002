"""What only a stack with a self-managed control plane may say."""

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from components.setting_group import Group


class EtcdSettings(Group):
    """etcd's size and timing."""

    members: int | None = None
    """Default: the scenario's."""
    heartbeat_ms: int = Field(default=40, ge=10, le=1000)
    election_ms: int = Field(default=400, ge=100, le=50_000)
    """40/400 more than halves the outage of a leader's loss where zones are under 2 ms apart (docs/measurements.md);
    etcd's own default is 100/1000."""

    @model_validator(mode="after")
    def election_outlasts_heartbeats(self) -> Self:
        """etcd refuses an election timeout of less than five heartbeats; ten is its advice."""
        if self.election_ms < 5 * self.heartbeat_ms:
            raise ValueError(
                f"electionMs {self.election_ms} is under five heartbeats of {self.heartbeat_ms} ms; "
                f"set electionMs to {10 * self.heartbeat_ms}"
            )
        return self


class MachineSettings(Group):
    """The machines of a cloud that has kinds of them."""

    master_type: str | None = Field(default=None, min_length=1)
    member_type: str | None = Field(default=None, min_length=1)
    """Default: the smallest that the role runs well on."""
    image: str | None = Field(default=None, min_length=1)
    """Default: the cloud's newest Debian when a machine's template is first made; then it stays until named here."""


class OidcSettings(Group):
    """The identity provider of the cluster's users."""

    issuer_url: str = Field(pattern=r"^https://\S+$")
    client_id: str
    username_claim: str = "sub"
    groups_claim: str | None = None


class AuthenticationSettings(Group):
    """How users prove who they are, beside the stack's own kubeconfig."""

    oidc: OidcSettings | None = None


class NetworkPlugin(StrEnum):
    """Who makes the pod network of a self-managed cluster."""

    REFERENCE = "reference"
    """The agents: the reference plugins, and routes that the cloud's network keeps."""
    NONE = "none"
    """Whoever installs a plugin of their own; Nodes get their parts of `network.podCidr` all the same."""
