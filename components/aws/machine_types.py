"""Which machines on AWS are large enough for their role, and what they run. Asks AWS, once per type."""

import platform
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_aws import ec2, ssm

from components.node.machine import Role
from components.scenarios import Scenario
from components.self_managed_settings import MachineSettings
from components.settings import SettingsError

DEFAULTS: Final = {
    "amd64": {
        (Scenario.DEVELOPMENT, Role.MASTER): "t3a.medium",
        (Scenario.PRODUCTION, Role.MASTER): "m7a.large",
        (Scenario.CRITICAL, Role.MASTER): "m7a.large",
        (Scenario.CRITICAL, Role.MEMBER): "m7a.medium",
    },
    "arm64": {
        (Scenario.DEVELOPMENT, Role.MASTER): "t4g.medium",
        (Scenario.PRODUCTION, Role.MASTER): "m7g.large",
        (Scenario.CRITICAL, Role.MASTER): "m7g.large",
        (Scenario.CRITICAL, Role.MEMBER): "m7g.medium",
    },
}
"""Burstable only in development: an etcd without CPU credits loses its leader."""

LEAST_MIB: Final = {Role.MASTER: 4096, Role.MEMBER: 2048}
"""An idle stacked master uses 0.9 GiB (docs/measurements.md) and needs room for watches; etcd maps its 8 GiB quota and
keeps what is used of it in the page cache."""

LEAST_NODE_MIB: Final = 4096
"""Of which the kubelet reserves one, and the add-ons use one."""

SETTING: Final = {Role.MASTER: "masterType", Role.MEMBER: "memberType"}

ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
"""As Linux and AWS spell it → as Debian does."""

HERE: Final = ARCHITECTURES.get(platform.machine(), "amd64")
"""Of what the toolchain makes: what this machine built is what those machines run."""

IMAGE: Final = "/aws/service/debian/release/12/latest/{architecture}"
"""Debian's public parameter with its newest image of a release."""


@dataclass(frozen=True)
class MachineType:
    """A type of machine, as AWS describes it."""

    name: str
    architecture: str
    """As Debian spells it."""


def of_role(settings: MachineSettings, scenario: Scenario, role: Role, opts: pulumi.InvokeOptions) -> MachineType:
    """The type of a role's machines.

    Raises:
        SettingsError: it has too little memory for the role, or cannot run what the toolchain made.
    """
    default = DEFAULTS[HERE][scenario, role]
    name = (settings.master_type if role is Role.MASTER else settings.member_type) or default
    described = ec2.get_instance_type(instance_type=name, opts=opts)
    if described.memory_size < LEAST_MIB[role]:
        raise SettingsError(
            f"kube-ha:machines.{SETTING[role]}: {name} has {described.memory_size} MiB of memory; a {role} needs "
            f"{LEAST_MIB[role]} MiB or more, such as {default}."
        )
    architectures = [ARCHITECTURES.get(spelt, spelt) for spelt in described.supported_architectures]
    if HERE not in architectures:
        raise SettingsError(
            f"kube-ha:machines.{SETTING[role]}: {name} is {', '.join(architectures)}; what the toolchain made on this "
            f"machine runs on {HERE}, such as {default}. Run `pulumi up` on a machine of the other kind, or take that."
        )
    return MachineType(name, HERE)


def newest_image(machine_type: MachineType, opts: pulumi.InvokeOptions) -> pulumi.Output[str]:
    """Debian's newest image for a type of machine."""
    name = IMAGE.format(architecture=machine_type.architecture)
    return ssm.get_parameter_output(name=name, opts=opts).value


def of_nodes(name: str, opts: pulumi.InvokeOptions) -> MachineType:
    """A type for nodes of EKS, whose images there are for both architectures.

    Raises:
        SettingsError: it has too little memory for the system's pods and any of the workloads'.
    """
    described = ec2.get_instance_type(instance_type=name, opts=opts)
    if described.memory_size < LEAST_NODE_MIB:
        raise SettingsError(
            f"kube-ha:nodes.type: {name} has {described.memory_size} MiB of memory; a node needs {LEAST_NODE_MIB} MiB "
            "or more."
        )
    return MachineType(name, "arm64" if "arm64" in described.supported_architectures else "amd64")
