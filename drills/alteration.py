"""Clusters made other than ours on purpose: bad ones that the suite must find out, and the usual one to compare with.

Pure: from what a machine has to what it gets instead.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from components.node import etcd, haproxy, keepalived
from components.node.agent.step import Paths
from components.node.machine import Machine, Role
from drills import usual

FOLDER: Final = usual.CHECK_FILE.rsplit("/", 1)[0]
"""On the machine; gone with it, as the overrides are: a machine that is replaced is ours again."""
OVERRIDES: Final = "/run/systemd/system/*.d/kube-ha-drill.conf"
"""Where systemd looks for what is other in a unit until the machine ends."""


class Balancer(StrEnum):
    """What is other in front of the masters."""

    OURS = "ours"
    TCP_CHECK = "tcp-check"
    """A master counts as ready when its port accepts connections."""
    ONE_MASTER = "one-master"
    """Only the first master is behind the endpoint."""
    USUAL = "usual"
    """HAProxy and Keepalived as in kubeadm's documents (`drills.usual`)."""


class Alteration(BaseModel):
    """What is other than ours."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    etcd: dict[str, Any] = {}
    """Options of etcd's configuration file, over ours."""
    balancer: Balancer = Balancer.OURS
    every_member: bool = False
    """Whether API servers know all members by themselves, and use no passthrough."""


USUAL: Final = Alteration(balancer=Balancer.USUAL, every_member=True)
"""What is usual: the load balancers of kubeadm's documents, and all members in --etcd-servers."""


@dataclass(frozen=True)
class Override:
    """A unit that runs with another configuration file."""

    unit: str
    ours: str
    """Path of the file that it has."""
    content: str
    """Of the file that it gets."""

    @property
    def path(self) -> str:
        """Where the other file goes."""
        return f"{FOLDER}/{self.unit}.conf"

    @property
    def drop_in(self) -> str:
        """Where what is other in the unit goes."""
        return OVERRIDES.replace("*", self.unit)


def overrides(alteration: Alteration, machine: Machine, read: Callable[[str], str]) -> Iterator[Override]:
    """The units of a machine that get another file; `read` says what is in a file of the machine."""
    if alteration.etcd and machine.carries_member:
        path = str(etcd.Files(Paths().etcd_configuration).configuration)
        yield Override(etcd.UNIT, path, json.dumps(json.loads(read(path)) | alteration.etcd, indent=1))
    if machine.role is not Role.BALANCER or alteration.balancer is Balancer.OURS:
        return
    if alteration.balancer is Balancer.USUAL:
        yield Override(haproxy.UNIT, haproxy.CONFIGURATION, usual.haproxy(machine))
        yield Override(keepalived.UNIT, keepalived.CONFIGURATION, usual.keepalived(machine))
    else:
        change = {Balancer.TCP_CHECK: port_checked, Balancer.ONE_MASTER: first_only}[alteration.balancer]
        yield Override(haproxy.UNIT, haproxy.CONFIGURATION, change(haproxy.render(machine)))


def port_checked(configuration: str) -> str:
    """A balancer's configuration whose health check asks no more than whether the port accepts connections."""
    lines = [
        line for line in configuration.splitlines() if not line.strip().startswith(("option httpchk", "http-check"))
    ]
    return "\n".join(lines).replace(" check-ssl verify none", "") + "\n"


def first_only(configuration: str) -> str:
    """A balancer's configuration that has only its first server, checked or not."""
    seen: set[bool] = set()
    lines = []
    for line in configuration.splitlines():
        if line.strip().startswith("server "):
            backup = line.endswith("no-check")
            if backup in seen:
                continue
            seen.add(backup)
        lines.append(line)
    return "\n".join(lines) + "\n"


def drop_in(unit: str, override: Override) -> str:
    """What changes a unit, given its text, into one that runs with the other file."""
    command = re.search(r"^ExecStart=(.*)$", unit.replace("\\\n", ""), re.MULTILINE)
    if command is None or override.ours not in command[1]:
        raise ValueError(f"{override.unit}: its ExecStart does not name {override.ours}:\n{unit}")
    return f"[Service]\nExecStart=\nExecStart={command[1].replace(override.ours, override.path)}\n"


def members(machine: Machine) -> str:
    """All members' client URLs, as an API server takes them."""
    return ",".join(etcd.client_url(member.address) for member in machine.etcd.members)
