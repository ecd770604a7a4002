"""What is done about a part of a machine that is not well: nothing yet, a restart, or another machine. Pure.

Each part has something nearer that repairs it first: systemd, or the kubelet by its liveness probes. This is for what
they do not see or cannot do, with patience, growing pauses and a budget, so that it never adds to an outage.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Part(StrEnum):
    """A part of a master that runs on its own."""

    CONTAINERD = "containerd"
    KUBELET = "kubelet"
    API_SERVER = "kube-apiserver"
    CONTROLLER_MANAGER = "kube-controller-manager"
    SCHEDULER = "kube-scheduler"

    @property
    def needs_etcd(self) -> bool:
        """Whether it cannot be well while etcd has no quorum."""
        return self in {Part.API_SERVER, Part.CONTROLLER_MANAGER, Part.SCHEDULER}


class Remedy(StrEnum):
    """What is done."""

    WAIT = "wait"
    RESTART = "restart"
    REPLACE = "replace"


PATIENCE_SECONDS: Final[Mapping[Part, float]] = {
    # systemd starts them again a second after they end; what is left is a hang.
    Part.CONTAINERD: 60,
    Part.KUBELET: 60,
    # kubeadm's liveness probes end a container after eight failures, 10 to 15 s apart.
    Part.API_SERVER: 180,
    Part.CONTROLLER_MANAGER: 180,
    Part.SCHEDULER: 180,
}
"""How long a part is unwell before anything is done here."""

FIRST_PAUSE_SECONDS: Final = 120.0
"""After the first restart of an hour; twice as long after each further one."""

WINDOW_SECONDS: Final = 3600.0
RESTARTS: Final = 3
"""In a window. What is unwell again after so many has a cause that a restart does not end."""

OWN_REPLACEMENT_SECONDS: Final = 6 * 3600.0
"""Between two replacements of one machine: the second would not help either."""

OTHERS_REPLACEMENT_SECONDS: Final = 3600.0
"""Between replacements of two machines: a cause that both share would take the control plane away one by one."""


@dataclass(frozen=True)
class Decision:
    """What to do, and why, in words."""

    remedy: Remedy
    reason: str


def decide(part: Part, unwell_seconds: float, restarts: Sequence[float], *, etcd_serves: bool) -> Decision:
    """What to do about `part`.

    Args:
        part: the part that is not well.
        unwell_seconds: since when, without a moment of being well.
        restarts: how long ago it was restarted from here, each time.
        etcd_serves: whether etcd has a quorum.
    """
    if part.needs_etcd and not etcd_serves:
        return Decision(Remedy.WAIT, "etcd has no quorum, which no remedy here brings back")
    patience = PATIENCE_SECONDS[part]
    recent = sorted(age for age in restarts if age < WINDOW_SECONDS)
    if unwell_seconds < patience:
        return Decision(Remedy.WAIT, f"unwell for {unwell_seconds:.0f} s; what repairs it first has {patience:.0f} s")
    if not recent:
        return Decision(Remedy.RESTART, f"unwell for {unwell_seconds:.0f} s")
    pause = FIRST_PAUSE_SECONDS * 2 ** (len(recent) - 1)
    if recent[0] < max(pause, patience):
        return Decision(Remedy.WAIT, f"restarted {recent[0]:.0f} s ago; the next remedy after {pause:.0f} s")
    if len(recent) < RESTARTS:
        return Decision(Remedy.RESTART, f"unwell again, {len(recent)} restarts in the last hour")
    return Decision(Remedy.REPLACE, f"unwell after {len(recent)} restarts within an hour")


def may_not_replace(own: float | None, others: Mapping[str, float]) -> str | None:
    """Why a machine may not be replaced for its health now, in words; None where it may.

    Args:
        own: how many seconds ago it was so replaced last; None for never.
        others: the same of the cluster's other machines, by name.
    """
    if own is not None and own < OWN_REPLACEMENT_SECONDS:
        return f"another machine in its place {own / 60:.0f} minutes ago did not help: it needs a person"
    for name, age in sorted(others.items()):
        if age < OTHERS_REPLACEMENT_SECONDS:
            return f"{name} was replaced {age / 60:.0f} minutes ago: two in an hour may have a cause in common"
    return None
