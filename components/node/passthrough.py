"""The passthrough on each master: the API server's one etcd endpoint, 127.0.0.1:2379, that ends connections to a
dead member at once.

The API server's own etcd client stays on a silent member for up to 40 s. HAProxy's checks find it in under one.
"""

from typing import Final

from components.node.etcd import CLIENT_PORT, METRICS_PORT
from components.node.haproxy import defaults, server_defaults, servers, unit
from components.node.health import PASSTHROUGH
from components.node.machine import Machine, Peer

ENDPOINT: Final = "https://127.0.0.1:2379"
UNIT: Final = "kube-ha-passthrough.service"
CONFIGURATION: Final = "/etc/kube-ha/passthrough.cfg"
RUNTIME_FOLDER: Final = "kube-ha-passthrough"
SOCKET: Final = f"/run/{RUNTIME_FOLDER}/admin.sock"


def order(machine: Machine) -> list[Peer]:
    """Members as this master prefers them: its own, then its zone's, then the zones after it in the stack's order.

    Beginning elsewhere in each zone keeps masters that lost their own member from all taking the same other one.
    """
    zones = machine.kubernetes.zones
    here = zones.index(machine.zone) if machine.zone in zones else 0

    def distance(member: Peer) -> tuple[bool, int]:
        there = zones.index(member.zone) if member.zone in zones else len(zones)
        return member.name != machine.name, (there - here) % (len(zones) + 1)

    return sorted(machine.etcd.members, key=distance)


def render(machine: Machine) -> str:
    """A master's passthrough configuration.

    Health is /livez on the metrics port: /readyz and /health fail on every member during an election and would take
    all of them out (measured: a gap of 2.5 s instead of 1.4 s).
    """
    return f"""\
global
  stats socket {SOCKET} mode 600 level admin
{defaults(PASSTHROUGH)}
listen etcd
  bind 127.0.0.1:2379
  balance first
  option httpchk GET /livez
  http-check expect status 200
  default-server check port {METRICS_PORT} {server_defaults(PASSTHROUGH)}
{servers(order(machine), CLIENT_PORT)}
"""


def service() -> str:
    """The passthrough's systemd unit."""
    return unit(
        description="kube-ha: from this master to etcd's members",
        configuration=CONFIGURATION,
        runtime_folder=RUNTIME_FOLDER,
    )
