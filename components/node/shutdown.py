"""The unit by which a master takes leave of its clients when its system goes down: a cloud's instance stop, a host's
reboot, `systemctl poweroff`.

systemd stops units in the reverse of their order, and all at once where there is none: etcd and the passthrough would
end under an API server that balancers still send clients to.
"""

from typing import Final

from components.node import containerd, etcd, passthrough
from components.node.health import STOPPED_API_SERVER_SECONDS, shutdown_delay_seconds
from components.node.machine import Machine, Role

UNIT: Final = "kube-ha-leave.service"

MARGIN_SECONDS: Final = 5
"""For the command's own start, and its kubelet's end."""


def applies(machine: Machine) -> bool:
    """Whether another master takes over what this one ends in order; alone, nobody gains by its delay."""
    return machine.role is Role.MASTER and machine.kubernetes.masters > 1


def longest_seconds(cloud: str) -> int:
    """How long an API server is waited for that was told to end; one that hangs does not keep a machine up."""
    return shutdown_delay_seconds(cloud) + STOPPED_API_SERVER_SECONDS


def service(machine: Machine, command: str) -> str:
    """The unit. `command` ends the control plane, if the system is going down; told to stop otherwise, it does nothing.

    The kubelet is not in its order: it ends while the command begins, and starts again nothing that the command ends.
    """
    return f"""\
[Unit]
Description=kube-ha: takes this master out of service before its system goes down
After=network-online.target {etcd.UNIT} {passthrough.UNIT} {containerd.UNIT}

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/true
ExecStop=-{command}
TimeoutStopSec={longest_seconds(machine.cloud) + MARGIN_SECONDS}

[Install]
WantedBy=multi-user.target
"""
