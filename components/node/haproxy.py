"""HAProxy in front of the masters: one address, and only masters whose /readyz says yes."""

from collections.abc import Iterable, Sequence
from typing import Final

from components.node.health import API_PORT, FRONT, LEADER_CHECK_MILLISECONDS, LEADER_PORT, Haproxy
from components.node.machine import Machine, Peer

METRICS_PORT: Final = 8405
UNIT: Final = "kube-ha-balancer.service"
CONFIGURATION: Final = "/etc/kube-ha/balancer.cfg"
SOCKET: Final = "/run/kube-ha-balancer/admin.sock"
BACKEND: Final = "masters"


def defaults(timings: Haproxy) -> str:
    """A `defaults` section for TCP that lives as long as its clients do, with `timings`."""
    return f"""\
defaults
  mode tcp
  timeout connect {timings.timeout_connect}ms
  timeout client 1h
  timeout server 1h
  timeout check {timings.timeout_check}ms
  retries {timings.retries}
  # On every retry another server; without the 1 only the last retry goes elsewhere.
  option redispatch 1
"""


def server_defaults(timings: Haproxy) -> str:
    """The check's timings; a server marked down ends its connections, or clients wait on a dead one. One marked up ends
    those to the servers that no check looks after: they were made when no server was up, and would last for hours."""
    observed = f" observe layer4 error-limit {timings.errors} on-error mark-down" if timings.errors else ""
    return (
        f"inter {timings.inter}ms fastinter {timings.fastinter}ms downinter {timings.downinter}ms"
        f" rise {timings.rise} fall {timings.fall} on-marked-down shutdown-sessions"
        f" on-marked-up shutdown-backup-sessions{observed}"
    )


def servers(peers: Sequence[Peer], port: int) -> str:
    """Server lines, in order of preference. When no server's check is well, all are tried without one.

    Failing open is what clouds' balancers do: peers that are all too busy to answer a check in time may still serve,
    and a check that is wrong must not be the outage.
    """
    asked = [f"  server {peer.name} {peer.address}:{port}" for peer in peers]
    unasked = [f"  server {peer.name}-unasked {peer.address}:{port} backup no-check no-agent-check" for peer in peers]
    return "\n".join([*asked, "  option allbackups", *unasked])


def render(machine: Machine) -> str:
    """A balancer's HAProxy configuration.

    Raises:
        ValueError: the machine has nothing to balance.
    """
    if machine.balancing is None:
        raise ValueError(f"{machine.name}: a {machine.role} without `balancing` has no masters to balance")
    return f"""\
global
  stats socket {SOCKET} mode 600 level admin
{defaults(FRONT)}
frontend api
  # Every address, not the virtual one alone: it is served the moment it arrives, and each balancer can be probed.
  bind :{API_PORT}
  default_backend {BACKEND}

backend {BACKEND}
  balance roundrobin
  # `etcd-readiness` asks etcd as well: a master whose member has no leader answers after one timeout, not after two.
  option httpchk GET /readyz?exclude=etcd
  http-check expect status 200
  # The check asks whether a master is ready, not who it is: clients verify the API server's certificate end to end.
  default-server check check-ssl verify none {server_defaults(FRONT)}
  # What a master says itself of etcd's leader counts at once; one that says nothing is asked for /readyz alone.
  default-server agent-check agent-port {LEADER_PORT} agent-inter {LEADER_CHECK_MILLISECONDS}ms
{servers(machine.balancing.masters, API_PORT)}

listen metrics
  mode http
  bind {machine.address}:{METRICS_PORT}
  timeout client 10s
  http-request use-service prometheus-exporter if {{ path /metrics }}
"""


def unit(*, description: str, configuration: str, runtime_folder: str, directives: Iterable[str] = ()) -> str:
    """A systemd unit that runs HAProxy with its own configuration, apart from the distribution's service."""
    extra = "".join(f"{directive}\n" for directive in directives)
    return f"""\
[Unit]
Description={description}
After=network.target
StartLimitIntervalSec=0

[Service]
Type=notify
RuntimeDirectory={runtime_folder}
ExecStartPre=/usr/sbin/haproxy -c -q -f {configuration}
ExecStart=/usr/sbin/haproxy -Ws -f {configuration} -p /run/{runtime_folder}/haproxy.pid
ExecReload=/usr/sbin/haproxy -c -q -f {configuration}
ExecReload=/bin/kill -USR2 $MAINPID
{extra}KillMode=mixed
SuccessExitStatus=143
Restart=always
RestartSec=100ms
LimitNOFILE=65536

[Install]
WantedBy=multi-user.target
"""


def up_servers(statistics: str) -> list[str]:
    """Names of the servers that are UP, from the admin socket's `show stat` (CSV)."""
    header, *rows = [line.split(",") for line in statistics.splitlines() if line]
    columns = {name.lstrip("# "): index for index, name in enumerate(header)}
    return [
        row[columns["svname"]]
        for row in rows
        if row[columns["pxname"]] == BACKEND
        and row[columns["svname"]] != "BACKEND"
        and row[columns["status"]].startswith("UP")
        # "UP" is also the verdict on a server that no check has asked yet.
        and row[columns["check_status"]].lstrip("* ") not in {"", "INI"}
    ]
