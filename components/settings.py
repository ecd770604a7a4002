"""What a stack may say, and what it gets where it says nothing.

Pulumi-free: `load` takes the stack's configuration as strings, as the engine hands it over.
"""

import json
from collections.abc import Mapping
from typing import Any, Final, Self

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic.alias_generators import to_camel

from components import setting_errors, tagging
from components.authority_settings import AuthoritySettings
from components.clouds import OFFERS, REGIONS, Cloud, Management
from components.managed import CLIENT_RANGES, NODE_TYPES, PLANES, RESERVED_RANGES, check_minor
from components.managed_settings import DnsSettings, NodeSettings
from components.network_settings import LoadBalancerSettings, NetworkSettings
from components.scenarios import SHAPES, Scenario
from components.self_managed_settings import (
    AuthenticationSettings,
    EtcdSettings,
    MachineSettings,
    NetworkPlugin,
)
from components.setting_group import Group
from components.topology import Topology, managed, plan

NAMESPACE: Final = "kube-ha"

KUBERNETES_VERSIONS: Final = ("1.37.2",)
"""Versions that the toolchain can put on a machine, newest first."""


class SettingsError(ValueError):
    """One line per setting that cannot be: its key, what it got, what is accepted."""


SELF_MANAGED_ONLY: Final = ("masters", "etcd", "machines", "authentication", "authorities", "network_plugin")
MANAGED_ONLY: Final = ("nodes", "administrators", "dns")


class Settings(Group):
    """A stack's settings with every default filled in."""

    cloud: Cloud
    scenario: Scenario
    control_plane: Management = Management.SELF_MANAGED
    region: str = "local"
    zones: tuple[str, ...] = Field(default=(), min_length=1)
    """Default: the first of the region, as many as the scenario needs."""
    kubernetes_version: str = KUBERNETES_VERSIONS[0]
    """Of a managed control plane a minor one, such as 1.36; `managed_version` is it."""
    masters: int | None = None
    """Default: the scenario's."""
    etcd: EtcdSettings = EtcdSettings()
    network: NetworkSettings = NetworkSettings()
    network_plugin: NetworkPlugin = NetworkPlugin.REFERENCE
    load_balancer: LoadBalancerSettings = LoadBalancerSettings()
    machines: MachineSettings = MachineSettings()
    authentication: AuthenticationSettings = AuthenticationSettings()
    authorities: AuthoritySettings = AuthoritySettings()
    nodes: NodeSettings = NodeSettings()
    administrators: tuple[str, ...] = ()
    """Who administers a managed cluster, as the cloud names principals: ARNs of IAM, IDs of Entra groups, members of
    Google's IAM. Beside whoever makes it."""
    dns: DnsSettings = DnsSettings()
    tags: Mapping[str, str] = Field(default_factory=dict)

    @field_validator("control_plane")
    @classmethod
    def cloud_has_it(cls, value: Management, info: ValidationInfo) -> Management:
        """Not every cloud has both."""
        offered = OFFERS.get(info.data.get("cloud", ""), tuple(Management))
        if value not in offered:
            raise ValueError(f"cloud {info.data['cloud']} has {', '.join(offered)} only")
        return value

    @field_validator("kubernetes_version")
    @classmethod
    def version_is_in_the_table(cls, value: str, info: ValidationInfo) -> str:
        """A version nobody tried is not one to stand up a company's control plane with."""
        bare = value.removeprefix("v")
        if info.data.get("control_plane") is Management.MANAGED:
            return check_minor(bare, info.data.get("cloud"))
        if bare not in KUBERNETES_VERSIONS:
            raise ValueError(f"accepted: {', '.join(KUBERNETES_VERSIONS)}")
        return bare

    @model_validator(mode="after")
    def zones_are_of_the_region(self) -> Self:
        """Fills in the zones, or refuses those that the region lacks."""
        regions = REGIONS[self.cloud]
        if self.region not in regions:
            got = f"got {self.region!r}" if "region" in self.model_fields_set else "missing"
            raise ValueError(f"region: {got}; accepted on {self.cloud}: {', '.join(regions)}")
        known = regions[self.region]
        strange = [zone for zone in self.zones if zone not in known]
        if strange:
            raise ValueError(f"zones: {self.region} has no {', '.join(strange)}; accepted: {', '.join(known)}")
        return self

    @model_validator(mode="after")
    def nothing_is_left_out_in_silence(self) -> Self:
        """A setting that means nothing here is a misunderstanding, not a default."""
        if self.control_plane not in OFFERS[self.cloud]:  # the default of a cloud that has no such thing
            raise ValueError(f"controlPlane: cloud {self.cloud} has {', '.join(OFFERS[self.cloud])} only; set it")
        where, foreign = self.foreign
        for name in foreign:
            given = getattr(self, name)
            if name in self.model_fields_set and (given.model_fields_set if isinstance(given, Group) else True):
                raise ValueError(f"{to_camel(name)}: {where} has no such choice; leave it out")
        return self

    @model_validator(mode="after")
    def the_cloud_takes_the_tags(self) -> Self:
        """A tag that one resource refuses fails an `up` half-way."""
        if self.tags:
            tagging.check(self.cloud, self.tags)
        return self

    @model_validator(mode="after")
    def nodes_are_machines_of_the_cloud(self) -> Self:
        """The name of another cloud's type is refused when the cluster is there already, and its nodes are not."""
        if self.nodes.type is not None:
            taken, such_as = NODE_TYPES[self.cloud]
            if not taken.fullmatch(self.nodes.type):
                raise ValueError(f"nodes.type: got {self.nodes.type!r}; cloud {self.cloud} has such as {such_as}")
        return self

    @model_validator(mode="after")
    def ranges_are_not_the_clouds_own(self) -> Self:
        """Some are in use inside a managed control plane."""
        if self.control_plane is Management.MANAGED:
            for key, given in self.network.ranges.items():
                for block in RESERVED_RANGES.get(self.cloud, ()):
                    if given.overlaps(block):
                        raise ValueError(f"network.{key}: got {given}; cloud {self.cloud} uses {block} itself")
        return self

    @property
    def foreign(self) -> tuple[str, tuple[str, ...]]:
        """What this is, in words, and the settings that mean nothing to it."""
        if self.cloud is Cloud.LOCAL:
            return "cloud local", ("load_balancer", "machines", "tags", *MANAGED_ONLY)
        if self.control_plane is Management.MANAGED:
            elsewhere = () if self.cloud is Cloud.AWS else ("dns",)
            return f"a managed control plane of cloud {self.cloud}", (*SELF_MANAGED_ONLY, *elsewhere)
        return "a self-managed control plane", MANAGED_ONLY

    @model_validator(mode="after")
    def a_public_endpoint_is_there(self) -> Self:
        """The only master of a development scenario is its endpoint, and no machine has a public address."""
        lonely = not SHAPES[self.scenario].load_balancer and self.control_plane is Management.SELF_MANAGED
        if self.load_balancer.public and lonely:
            raise ValueError(
                f"loadBalancer.public: the {self.scenario} scenario has no load balancer; set scenario to production"
            )
        return self

    @model_validator(mode="after")
    def a_private_endpoint_of_azure_has_no_list(self) -> Self:
        """AKS takes ranges of clients for a public endpoint alone; a private one is reached by its whole network."""
        if self.cloud is Cloud.AZURE and self.load_balancer.cidrs and not self.load_balancer.public:
            raise ValueError("loadBalancer.cidrs: a private endpoint of AKS takes none; leave it out, or set public")
        return self

    @model_validator(mode="after")
    def an_endpoint_takes_as_many_clients(self) -> Self:
        """A private endpoint of EKS has a security group instead of a list, whose size is the account's to choose."""
        listed = self.control_plane is Management.MANAGED and (self.cloud is not Cloud.AWS or self.load_balancer.public)
        given = len(self.load_balancer.cidrs)
        if listed and given > (taken := CLIENT_RANGES[self.cloud]):
            raise ValueError(
                f"loadBalancer.cidrs: got {given} ranges; an endpoint of cloud {self.cloud} takes up to {taken}; "
                "join neighbours into larger ones"
            )
        return self

    @model_validator(mode="after")
    def pods_have_a_range_of_their_own(self) -> Self:
        """EKS gives pods addresses of the VPC."""
        on_eks = (self.cloud, self.control_plane) == (Cloud.AWS, Management.MANAGED)
        if on_eks and "pod_cidr" in self.network.model_fields_set:
            raise ValueError("network.podCidr: pods of EKS have addresses of network.cidr; leave it out")
        return self

    @model_validator(mode="after")
    def an_existing_network_has_what_is_needed(self) -> Self:
        """A subnet for every zone that is used, before anything is made."""
        existing = self.network.existing
        if existing is None:
            return self
        if (self.cloud, self.control_plane) != (Cloud.AWS, Management.SELF_MANAGED):
            raise ValueError("network.existing: only a self-managed control plane on aws goes into one; leave it out")
        if "cidr" in self.network.model_fields_set:
            raise ValueError("network.cidr: the network of network.existing has its own; leave it out")
        needed = {"privateSubnets": existing.private_subnets}
        if self.load_balancer.public:
            needed["publicSubnets"] = existing.public_subnets
        for name, subnets in needed.items():
            if missing := [zone for zone in self.chosen_zones if zone not in subnets]:
                raise ValueError(f"network.existing.{name}: no subnet for {', '.join(missing)}; or name other zones")
        return self

    @property
    def chosen_zones(self) -> tuple[str, ...]:
        """Those named, or the first of the region: of a self-managed control plane."""
        return self.zones or REGIONS[self.cloud][self.region][: SHAPES[self.scenario].min_zones]

    @property
    def managed_version(self) -> str | None:
        """The minor version that a managed control plane is asked for; None leaves it to the cloud's own default."""
        return self.kubernetes_version if "kubernetes_version" in self.model_fields_set else None

    @property
    def topology(self) -> Topology:
        """The machines that these settings ask for.

        Raises:
            TopologyError: they break a rule of the scenario matrix.
        """
        known = REGIONS[self.cloud][self.region]
        if self.control_plane is Management.MANAGED:
            plane = PLANES[self.cloud][self.scenario]
            return managed(self.scenario, self.zones or known[: plane.zones], plane.zones, plane.survives)
        return plan(self.scenario, self.chosen_zones, masters=self.masters, members=self.etcd.members)


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
        raise SettingsError("\n".join(setting_errors.lines(error, Settings, NAMESPACE))) from None


def decoded(value: str) -> Any:
    """A JSON object, list or number as such; anything else stays the string it is."""
    try:
        parsed = json.loads(value)
    except ValueError:
        return value
    return parsed if isinstance(parsed, dict | list | int) else value
