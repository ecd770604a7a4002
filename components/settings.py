"""What a stack may say, and what it gets where it says nothing.

Pulumi-free: `load` takes the stack's configuration as strings, as the engine hands it over.
"""

import json
from collections.abc import Mapping
from enum import StrEnum
from ipaddress import IPv4Network
from itertools import combinations
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic.alias_generators import to_camel

from components.aws.regions import REGIONS as AWS_REGIONS
from components.topology import SHAPES, Scenario, Topology, plan

NAMESPACE: Final = "kube-ha"

KUBERNETES_VERSIONS: Final = ("1.37.2",)
"""Versions that the toolchain can put on a machine, newest first."""


class SettingsError(ValueError):
    """One line per setting that cannot be: its key, what it got, what is accepted."""


class Cloud(StrEnum):
    """Where the control plane lives."""

    LOCAL = "local"
    AWS = "aws"


LOCAL_ZONES: Final = ("zone-a", "zone-b", "zone-c", "zone-d", "zone-e")

REGIONS: Final[Mapping[Cloud, Mapping[str, tuple[str, ...]]]] = {
    Cloud.LOCAL: {"local": LOCAL_ZONES},
    Cloud.AWS: AWS_REGIONS,
}
"""Zones of each region, first choice first."""


class Group(BaseModel):
    """Base of all settings: immutable, camelCase in the stack file, an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class EtcdSettings(Group):
    """etcd's size and timing."""

    members: int | None = None
    """Default: the scenario's."""
    heartbeat_ms: int = Field(default=50, ge=10, le=1000)
    election_ms: int = Field(default=500, ge=100, le=50_000)
    """50/500 halves the outage of a leader's loss where zones are under 2 ms apart (docs/measurements.md);
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


class NetworkSettings(Group):
    """Address ranges; none may overlap another."""

    cidr: IPv4Network = IPv4Network("10.77.0.0/16")
    """The machines' range."""
    pod_cidr: IPv4Network = IPv4Network("10.244.0.0/16")
    service_cidr: IPv4Network = IPv4Network("10.96.0.0/16")

    @field_validator("cidr")
    @classmethod
    def machines_have_a_sixteen(cls, value: IPv4Network) -> IPv4Network:
        """Zones are /24 networks inside it."""
        if value.prefixlen != 16:
            raise ValueError("a /16 is needed, such as 10.77.0.0/16: each zone is a /24 in it")
        return value

    @model_validator(mode="after")
    def ranges_are_apart(self) -> Self:
        """Overlapping ranges route to the wrong place without an error."""
        ranges = {"cidr": self.cidr, "podCidr": self.pod_cidr, "serviceCidr": self.service_cidr}
        for (name, one), (other_name, other) in combinations(ranges.items(), 2):
            if one.overlaps(other):
                raise ValueError(f"{name} {one} overlaps {other_name} {other}; give each a range of its own")
        return self


class LoadBalancerSettings(Group):
    """Who may reach the API through the load balancer of a cloud."""

    public: bool = False
    cidrs: tuple[IPv4Network, ...] = ()
    """Ranges of clients beside the machines' own network."""

    @model_validator(mode="after")
    def public_names_its_clients(self) -> Self:
        """An endpoint for the whole internet is never what somebody meant to ask for by leaving a line out."""
        if self.public and not self.cidrs:
            raise ValueError("public without cidrs; list the ranges that may reach the API, such as 203.0.113.0/24")
        return self


class MachineSettings(Group):
    """The machines of a cloud that has kinds of them."""

    master_type: str | None = None
    member_type: str | None = None
    """Default: the smallest that the role runs well on."""
    image: str | None = None
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


class Settings(Group):
    """A stack's settings with every default filled in."""

    cloud: Cloud
    scenario: Scenario
    control_plane: Literal["self-managed"] = "self-managed"
    region: str = "local"
    zones: tuple[str, ...] = ()
    """Default: the first of the region, as many as the scenario needs."""
    kubernetes_version: str = KUBERNETES_VERSIONS[0]
    masters: int | None = None
    """Default: the scenario's."""
    etcd: EtcdSettings = EtcdSettings()
    network: NetworkSettings = NetworkSettings()
    load_balancer: LoadBalancerSettings = LoadBalancerSettings()
    machines: MachineSettings = MachineSettings()
    authentication: AuthenticationSettings = AuthenticationSettings()
    tags: Mapping[str, str] = Field(default_factory=dict)

    @field_validator("kubernetes_version")
    @classmethod
    def version_is_in_the_table(cls, value: str) -> str:
        """A version nobody tried is not one to stand up a company's control plane with."""
        bare = value.removeprefix("v")
        if bare not in KUBERNETES_VERSIONS:
            raise ValueError(f"accepted: {', '.join(KUBERNETES_VERSIONS)}")
        return bare

    @model_validator(mode="after")
    def zones_are_of_the_region(self) -> Self:
        """Fills in the zones, or refuses those that the region lacks."""
        regions = REGIONS[self.cloud]
        if self.region not in regions:
            raise ValueError(f"region {self.region!r} is not one of {self.cloud}: {', '.join(regions)}")
        known = regions[self.region]
        strange = [zone for zone in self.zones if zone not in known]
        if strange:
            raise ValueError(f"zones: {self.region} has no {', '.join(strange)}; accepted: {', '.join(known)}")
        return self

    @model_validator(mode="after")
    def this_machine_is_not_a_data_centre(self) -> Self:
        """What only a cloud has would be left out in silence."""
        if self.cloud is Cloud.LOCAL:
            for name in ("load_balancer", "machines"):
                if getattr(self, name).model_fields_set:
                    raise ValueError(f"{to_camel(name)}: cloud local has no such choice; leave it out")
        elif self.load_balancer.public and not SHAPES[self.scenario].load_balancer:
            raise ValueError(
                f"loadBalancer.public: the {self.scenario} scenario has no load balancer; set scenario to production"
            )
        return self

    @property
    def topology(self) -> Topology:
        """The machines that these settings ask for.

        Raises:
            TopologyError: they break a rule of the scenario matrix.
        """
        zones = self.zones or REGIONS[self.cloud][self.region][: SHAPES[self.scenario].min_zones]
        return plan(self.scenario, zones, masters=self.masters, members=self.etcd.members)


def load(config: Mapping[str, str]) -> Settings:
    """The settings in a stack's configuration.

    Args:
        config: the stack's keys with their namespace (`kube-ha:scenario`) and values as the engine holds them:
            strings, with objects and lists as JSON. Keys of other namespaces are left alone.

    Raises:
        SettingsError: one line for everything that is wrong, at once.
    """
    prefix = f"{NAMESPACE}:"
    raw = {key.removeprefix(prefix): decoded(value) for key, value in config.items() if key.startswith(prefix)}
    try:
        return Settings.model_validate(raw)
    except ValidationError as error:
        raise SettingsError("\n".join(line(problem) for problem in error.errors())) from None


def decoded(value: str) -> Any:
    """A JSON object, list or number as such; anything else stays the string it is."""
    try:
        parsed = json.loads(value)
    except ValueError:
        return value
    return parsed if isinstance(parsed, dict | list | int) else value


def line(problem: Any) -> str:
    """One pydantic error as `kube-ha:etcd.members: got 'four': …`."""
    key = ".".join(str(part) for part in problem["loc"])
    name = f"{NAMESPACE}:{key}"
    message = problem["msg"].removeprefix("Value error, ")
    match problem["type"]:
        case "missing":
            return f"{name}: missing; {accepted(key)}"
        case "extra_forbidden":
            return f"{name}: no such setting; accepted: {', '.join(sorted(keys_beside(problem['loc'])))}"
        case _ if isinstance(problem["input"], dict | BaseModel):
            return f"{name}: {message}." if key else f"{name}{message}."  # a rule over several keys names its own
        case _:
            return f"{name}: got {problem['input']!r}; {message[0].lower()}{message[1:]}."


def accepted(key: str) -> str:
    """What a required setting takes."""
    values: Mapping[str, type[StrEnum]] = {"cloud": Cloud, "scenario": Scenario}
    return f"accepted: {', '.join(values[key])}" if key in values else "it has no default"


def keys_beside(loc: tuple[int | str, ...]) -> set[str]:
    """The names that are accepted where an unknown one was found."""
    model: Any = Settings
    for part in loc[:-1]:
        field = next((f for f in model.model_fields.values() if f.alias == part), None)
        annotations = [] if field is None else [field.annotation, *getattr(field.annotation, "__args__", ())]
        model = next((a for a in annotations if isinstance(a, type) and issubclass(a, Group)), None)
        if model is None:
            return set()
    return {str(field.alias) for field in model.model_fields.values()}
