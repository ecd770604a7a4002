"""What a fault is: a declaration of steps in YAML, and the choice of what they hit."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from drills.declaration_errors import words
from drills.thresholds import Target

DECLARATIONS: Final = Path(__file__).parent / "faults"


class FaultError(Exception):
    """An unknown fault, or one that this cluster cannot have; the message says which and why."""


class Aim(StrEnum):
    """What a step hits, chosen when the step is reached."""

    MASTER = "master"
    FIRST_MASTER = "first-master"
    """The first by name: the one that is left where all others are taken out of the balancers."""
    ETCD_LEADER = "etcd-leader"
    ETCD_FOLLOWER = "etcd-follower"
    TWO_MEMBERS = "two-members"
    """Members in two different zones, the leader among them."""
    ACTIVE_BALANCER = "active-balancer"
    STANDBY_BALANCER = "standby-balancer"
    BALANCER_AND_MASTER = "active-balancer-and-master"
    ZONE_OF_LEADER = "zone-of-etcd-leader"
    ZONE_OF_BALANCER = "zone-of-active-balancer"
    MACHINES_IN_ZONE_OF_LEADER = "machines-in-zone-of-etcd-leader"
    EVERYTHING = "everything"


class Step(BaseModel):
    """Base of all steps."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Inject(Step):
    """A step that does harm, and so starts a window that is judged."""

    target: Aim
    expect: Target | None = None
    """Instead of the default target for faults."""


class Kill(Inject):
    """The machine ends as if its power was cut."""

    do: Literal["kill"]


class PowerOff(Inject):
    """The machine shuts down in order."""

    do: Literal["power-off"]


class Cut(Inject):
    """The network of a machine or a zone goes: as link down, as silent drop, or in one direction."""

    do: Literal["cut"]
    how: Literal["link", "silent", "one-way"]


class Isolate(Inject):
    """The etcd member is cut from the other members only; its clients still reach it."""

    do: Literal["isolate"]


class Drain(Inject):
    """The node is cordoned, and its pods are evicted."""

    do: Literal["drain"]


class Roll(Inject):
    """The machines are shut down in order one after another, each once the cluster is whole again."""

    do: Literal["roll"]


class Signal(Inject):
    """A signal to one program of the machine."""

    do: Literal["signal"]
    program: Literal["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "haproxy", "keepalived"]
    signal: Literal["TERM", "KILL", "STOP"]


class Wipe(Inject):
    """The member's data is lost together with its machine."""

    do: Literal["wipe"]


class Fill(Inject):
    """The disk of the member's data is full."""

    do: Literal["fill"]


class Slow(Inject):
    """The machine's network link, or the disk of the member's data, becomes slow."""

    do: Literal["slow"]
    what: Literal["link", "disk"]


class Heal(Step):
    """Undo every cut, continue every stopped program, free every filled disk, let pods on every drained node, and give
    every slow link and disk its speed back."""

    do: Literal["heal"]
    expect: Target | None = None


class Wait(Step):
    """Let time pass.

    Cuts last 7 s: longer than the 6 s after which kernels end what nobody has acknowledged, and shorter than the 8 to
    10 s after which controller managers and schedulers that are cut off have lost their leases and end; that is what
    a first cut of 20 s before a second one shows.
    """

    do: Literal["wait"]
    seconds: float = Field(gt=0)


AnyStep = Annotated[
    Kill | PowerOff | Drain | Roll | Cut | Isolate | Signal | Wipe | Fill | Slow | Heal | Wait,
    Field(discriminator="do"),
]


class Needs(BaseModel):
    """The least cluster that can have this fault."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    masters: int = 3
    members: int = 3
    balancers: int = 0


class Fault(BaseModel):
    """A declaration."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9-]+$")
    title: str
    needs: Needs = Needs()
    outage: bool = False
    """Everything is hit, so an outage is expected: only durability and the return are judged."""
    steps: tuple[AnyStep, ...]
    """After the last one the drill heals, and waits until the cluster is whole."""


@dataclass(frozen=True)
class Machine:
    """A machine of the cluster, as faults see it."""

    name: str
    role: str
    """master, member or balancer."""
    zone: str
    address: str
    member: bool
    """Whether it carries an etcd member of the same name."""


@dataclass(frozen=True)
class View:
    """The cluster at the moment at which a step is reached."""

    machines: Sequence[Machine]
    leader: str | None
    """Machine of the etcd leader."""
    active_balancer: str | None

    def named(self, name: str) -> Machine:
        """The machine of that name."""
        return next(machine for machine in self.machines if machine.name == name)

    def of(self, role: str) -> list[Machine]:
        """Machines of a role."""
        return [machine for machine in self.machines if machine.role == role]

    @property
    def members(self) -> list[Machine]:
        """Machines that carry a member."""
        return [machine for machine in self.machines if machine.member]


def load(folder: Path = DECLARATIONS) -> Mapping[str, Fault]:
    """All declared faults by name, in the order of their files.

    Raises:
        FaultError: a declaration is wrong; names the file and the key.
    """
    found: dict[str, Fault] = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            fault = Fault.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        except (yaml.YAMLError, ValidationError) as error:
            raise FaultError(f"{path.name}: {words(error)}") from error
        found[fault.name] = fault
    return found


def chosen(names: Sequence[str], declared: Mapping[str, Fault]) -> list[Fault]:
    """The faults of these names, all when there is none.

    Raises:
        FaultError: a name is not declared.
    """
    for name in names:
        if name not in declared:
            raise FaultError(f"fault: {name!r} is unknown; one of {', '.join(declared)}.")
    return [declared[name] for name in names or declared]


def lacking(fault: Fault, view: View) -> str | None:
    """Why this cluster cannot have this fault; None when it can."""
    have = {"masters": len(view.of("master")), "members": len(view.members), "balancers": len(view.of("balancer"))}
    for what, least in fault.needs.model_dump().items():
        if have[what] < least:
            return f"needs {least} {what}, the cluster has {have[what]}"
    return None


def aim(target: Aim, view: View, rng: random.Random) -> tuple[str, ...]:
    """Names of the machines, or of the one zone, that a target means now.

    Raises:
        FaultError: there is nothing of the kind now, e.g. no etcd leader.
    """
    names = _AIMS[target](view, rng)
    if not names:
        raise FaultError(f"target {target}: the cluster has none now (leader {view.leader}).")
    return names


def _one(machines: Sequence[Machine], rng: random.Random) -> tuple[str, ...]:
    return (rng.choice(machines).name,) if machines else ()


def _two_members(view: View, rng: random.Random) -> tuple[str, ...]:
    if view.leader is None:
        return ()
    zone = view.named(view.leader).zone
    others = [member for member in view.members if member.zone != zone]
    return (view.leader, *_one(others, rng)) if others else ()


def _balancer_and_master(view: View, rng: random.Random) -> tuple[str, ...]:
    return (view.active_balancer, *_one(view.of("master"), rng)) if view.active_balancer else ()


def _zone(view: View, name: str | None) -> tuple[str, ...]:
    return (view.named(name).zone,) if name else ()


_AIMS: Final[Mapping[Aim, Callable[[View, random.Random], tuple[str, ...]]]] = {
    Aim.MASTER: lambda view, rng: _one(view.of("master"), rng),
    Aim.FIRST_MASTER: lambda view, _: tuple(machine.name for machine in view.of("master")[:1]),
    Aim.ETCD_LEADER: lambda view, _: (view.leader,) if view.leader else (),
    Aim.ETCD_FOLLOWER: lambda view, rng: _one([m for m in view.members if m.name != view.leader], rng),
    Aim.TWO_MEMBERS: _two_members,
    Aim.ACTIVE_BALANCER: lambda view, _: (view.active_balancer,) if view.active_balancer else (),
    Aim.STANDBY_BALANCER: lambda view, rng: _one(
        [m for m in view.of("balancer") if m.name != view.active_balancer], rng
    ),
    Aim.BALANCER_AND_MASTER: _balancer_and_master,
    Aim.ZONE_OF_LEADER: lambda view, _: _zone(view, view.leader),
    Aim.ZONE_OF_BALANCER: lambda view, _: _zone(view, view.active_balancer),
    Aim.MACHINES_IN_ZONE_OF_LEADER: lambda view, _: tuple(
        machine.name for machine in view.machines if machine.zone in _zone(view, view.leader)
    ),
    Aim.EVERYTHING: lambda view, _: tuple(machine.name for machine in view.machines),
}
