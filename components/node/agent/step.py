"""What a step of the agent is, and what every step is given."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from components.node.agent.cloud import Cloud, Instance
from components.node.agent.log import Log
from components.node.agent.metrics import Metrics
from components.node.agent.systemd import Services
from components.node.lock import ClusterLock
from components.node.machine import Machine
from components.node.record import Keys


class NotYetError(Exception):
    """A step cannot be done now and says what it waits for; it is tried again by itself."""


@dataclass(frozen=True)
class Paths:
    """Where things are on a machine, below `root` (another root only in tests)."""

    root: Path = Path("/")

    @property
    def machine(self) -> Path:
        """The machine document."""
        return self.root / "etc/kube-ha/machine.json"

    @property
    def state(self) -> Path:
        """What the agent remembers over restarts of itself; dies with the machine."""
        return self.root / "var/lib/kube-ha"

    @property
    def run(self) -> Path:
        """What the agent tells others on this machine; dies with a reboot."""
        return self.root / "run/kube-ha"

    @property
    def binaries(self) -> Path:
        """Binaries that artifacts bring: etcd, etcdctl, kubeadm, …"""
        return self.root / "opt/kube-ha/bin"

    @property
    def units(self) -> Path:
        """systemd units that the agent writes."""
        return self.root / "etc/systemd/system"

    @property
    def etcd_volume(self) -> Path:
        """Mount point of the volume; one folder per membership inside."""
        return self.root / "var/lib/etcd"

    @property
    def etcd_configuration(self) -> Path:
        """etcd's configuration file and its certificates."""
        return self.root / "etc/kube-ha/etcd"


@dataclass
class Context:
    """Everything a step may use. `machine` is complete: name, zone and address are filled in."""

    machine: Machine
    cloud: Cloud
    instance: Instance
    log: Log
    services: Services
    paths: Paths = field(default_factory=Paths)
    metrics: Metrics = field(default_factory=Metrics)
    concerns: dict[str, str] = field(default_factory=dict)
    """What people should know of though the machine is ready, by subject."""
    replacement: str | None = None
    """Why this machine asks to be replaced though its template has not changed; None where it does not."""
    lock: ClusterLock = field(init=False)
    """The cluster's lock as this machine takes it."""

    def __post_init__(self) -> None:
        self.lock = ClusterLock(self.cloud, Keys(self.machine.uid).lock, self.machine.name)


class Step:
    """One entry of the table of contents. Every method can be called again at any time."""

    name: ClassVar[str]

    def applies(self, machine: Machine) -> bool:
        """Whether a machine of this kind needs the step at all."""
        return True

    def run(self, context: Context) -> None:
        """Make it so; quick when it is so already.

        Raises:
            NotYetError: something outside is awaited; the loop tries again after a moment.
        """
        raise NotImplementedError

    def tick(self, context: Context) -> str | None:
        """Look after it, every two seconds, cheaply. What is not well, in words; None when all is well."""
        return None

    def leave(self, context: Context) -> None:
        """Prepare for the machine's planned end, in the reverse order of the table."""
