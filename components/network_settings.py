"""What a stack may say of its network and of who reaches the API."""

from collections.abc import Mapping
from ipaddress import IPv4Network
from itertools import combinations
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from components.setting_group import Group

UNUSABLE: Final = {
    "this host": IPv4Network("0.0.0.0/8"),
    "loopback": IPv4Network("127.0.0.0/8"),
    "link-local": IPv4Network("169.254.0.0/16"),
    "multicast and reserved": IPv4Network("224.0.0.0/3"),
}
"""Addresses that no machine, pod or service can have (RFC 6890); clouds' metadata services are link-local."""


def usable(value: IPv4Network) -> IPv4Network:
    """A range in which machines, pods and services can have addresses."""
    for name, block in UNUSABLE.items():
        if value.overlaps(block):
            raise ValueError(f"{block} is {name}: take a private range, such as 10.77.0.0/16")
    return value


Range = Annotated[IPv4Network, AfterValidator(usable)]


class ExistingNetworkSettings(Group):
    """A network of a cloud that is there already, to be used instead of one of the stack's own."""

    vpc: str = Field(pattern=r"^vpc-\w+$")
    private_subnets: Mapping[str, str] = Field(min_length=1)
    """Zone → subnet for machines, with a way out and a route table of its own."""
    public_subnets: Mapping[str, str] = Field(default_factory=dict)
    """Zone → subnet for a public load balancer."""


class NetworkSettings(Group):
    """Address ranges; none may overlap another."""

    cidr: Range = IPv4Network("10.77.0.0/16")
    """The machines' range."""
    existing: ExistingNetworkSettings | None = None
    """Default: the stack makes its own network."""
    pod_cidr: Range = IPv4Network("10.244.0.0/16")
    service_cidr: Range = IPv4Network("10.96.0.0/16")

    @field_validator("cidr")
    @classmethod
    def machines_have_a_sixteen(cls, value: IPv4Network) -> IPv4Network:
        """Each cloud cuts its subnets from it by numbers that count on its size (`components/<cloud>/addresses.py`)."""
        if value.prefixlen != 16:
            raise ValueError("a /16 is needed, such as 10.77.0.0/16: every subnet is a part of it")
        return value

    @field_validator("pod_cidr")
    @classmethod
    def every_node_has_pods(cls, value: IPv4Network) -> IPv4Network:
        """The controller manager gives each Node a /24 (its `--node-cidr-mask-size-ipv4`) and does not start where
        that leaves no room, or where more than 16 bits number the Nodes.
        """
        if not 8 <= value.prefixlen <= 20:
            raise ValueError("a /8 to a /20 is needed, such as 10.244.0.0/16: each node has a /24 of it")
        return value

    @field_validator("service_cidr")
    @classmethod
    def services_have_room(cls, value: IPv4Network) -> IPv4Network:
        """What EKS takes ("between /24 and /12", `serviceIpv4Cidr`), and the others too."""
        if not 12 <= value.prefixlen <= 24:
            raise ValueError("a /12 to a /24 is needed, such as 10.96.0.0/16")
        return value

    @model_validator(mode="after")
    def ranges_are_apart(self) -> Self:
        """Overlapping ranges route to the wrong place without an error."""
        for (name, one), (other_name, other) in combinations(self.ranges.items(), 2):
            if one.overlaps(other):
                raise ValueError(f"{name} {one} overlaps {other_name} {other}; give each a range of its own")
        return self

    @property
    def ranges(self) -> Mapping[str, IPv4Network]:
        """All of them, by their name in a stack file."""
        return {"cidr": self.cidr, "podCidr": self.pod_cidr, "serviceCidr": self.service_cidr}


class LoadBalancerSettings(Group):
    """Who may reach the API through the load balancer of a cloud, or through a managed control plane's endpoint."""

    public: bool = False
    cidrs: tuple[IPv4Network, ...] = ()
    """Ranges of clients beside the machines' own network."""

    @model_validator(mode="after")
    def public_names_its_clients(self) -> Self:
        """An endpoint for the whole internet is never what somebody meant to ask for by leaving a line out."""
        if self.public and not self.cidrs:
            raise ValueError("public without cidrs; list the ranges that may reach the API, such as 203.0.113.0/24")
        return self
