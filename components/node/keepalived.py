"""Keepalived on the balancers: one virtual address, on the balancer that lives."""

from ipaddress import ip_interface
from typing import Final

from components.node.haproxy import CONFIGURATION as HAPROXY_CONFIGURATION
from components.node.haproxy import UNIT as HAPROXY_UNIT
from components.node.haproxy import unit
from components.node.health import VRRP_ADVERTISEMENT_SECONDS
from components.node.machine import Balancing, Machine

UNIT: Final = "kube-ha-address.service"
CONFIGURATION: Final = "/etc/kube-ha/address.conf"
INTERFACE: Final = "eth0"
RUNTIME_FOLDER: Final = "kube-ha-balancer"
STATE: Final = f"/run/{RUNTIME_FOLDER}/haproxy-is-down"
"""0 while HAProxy runs and 1 when it does not. A file, since the kernel tells of processes (track_process) only in
the first network and process namespace: not in a machine that is a container."""


REACHES_NONE: Final = f"/run/{RUNTIME_FOLDER}/reaches-no-master"
"""1 while no master answers this balancer's checks, else 0; the agent writes it."""

IN_FLIGHT_SECONDS: Final = 0.05
"""How long HAProxy still answers after the address has left: most requests on their way are over. What comes over a
kept connection meanwhile is reset by the other balancer, so that it is less than clients take for a second try."""

LEAVING_SECONDS: Final = 5
"""A Keepalived that has not taken the address away by then is ended with it."""

LESS: Final = 100
"""What such a balancer's priority is lowered by: below every other that reaches one."""

TAKEOVER_SECONDS: Final = 4 * VRRP_ADVERTISEMENT_SECONDS
"""A balancer that listens for so long has heard the other, or has the address: three advertisements and a skew below
one. One that has just started has heard nothing, and what the other said as it left is lost on it (measured: nobody
had the address for 0.7 s, as if the other had been killed)."""

STANDS_BY: Final = "balancer_stands_by"
"""The agent's metric (without its prefix): 1 while this balancer has listened for `TAKEOVER_SECONDS`, else 0."""

RAW_SOCKETS: Final = "proc/net/raw"
"""Where the kernel lists a network's raw sockets: proc(5)."""

PROTOCOL: Final = 112
"""VRRP's number among the protocols of IP (RFC 9568)."""


def render(machine: Machine) -> str:
    """A balancer's Keepalived configuration.

    Raises:
        ValueError: the machine has nothing to balance, or is not among its balancers.
    """
    balancing = machine.balancing
    if balancing is None:
        raise ValueError(f"{machine.name}: a {machine.role} without `balancing` has no virtual address to share")
    return f"""\
global_defs {{
  router_id {machine.name}
  vrrp_version 3
  # Routers must learn of a move at once, and again in case the first announcement was lost. The refresh is for what
  # nobody foresaw, and rare: a balancer that was cut off hears of the other up to 0.7 s after its return (ARP asks
  # once a second), and drew clients to itself when a refresh every 5 s fell into that time (measured).
  vrrp_garp_master_repeat 3
  vrrp_garp_master_delay 1
  vrrp_garp_master_refresh 60
  # After a silent cut both have the address. The one that gives it up tells the other, which announces itself anew:
  # without, routers that know the wrong one keep it (measured: the address was dead for 1.8 to 2.8 s).
  vrrp_higher_prio_send_advert true
  # A balancer that gets no processor time for 0.46 s sends no advertisement and loses the address for nothing. Where
  # the kernel does not give real time to control groups, the unit's `Nice` is what is left.
  vrrp_rt_priority 50
}}

track_file haproxy_is_down {{
  file "{STATE}"
}}

track_file reaches_no_master {{
  file "{REACHES_NONE}"
  init_file 0
}}

vrrp_instance api {{
  # nopreempt wants both to begin as BACKUP. A balancer that returns does not take the address back: every move ends
  # the connections through it, and both are equal.
  state BACKUP
  nopreempt
  interface {INTERFACE}
  virtual_router_id 64
  priority {_priority(machine, balancing)}
  advert_int {VRRP_ADVERTISEMENT_SECONDS}
  unicast_src_ip {machine.address}
{_peers(machine, balancing)}  virtual_ipaddress {{
    {balancing.virtual_address} dev {INTERFACE}
  }}
  track_file {{
    # Weight 0: a fault, which gives the address away at once, whatever the priorities.
    haproxy_is_down weight 0
    # A balancer that was cut off still has the address when it returns, and the one that took over keeps it: every move
    # ends the connections through it. No fault, since where no master is ready none of the balancers reaches one.
    reaches_no_master weight -{LESS}
  }}
}}
"""


def _priority(machine: Machine, balancing: Balancing) -> int:
    names = [balancer.name for balancer in balancing.balancers]
    if machine.name not in names:
        raise ValueError(f"{machine.name}: not one of the balancers {', '.join(names)}")
    # High, since the skew before a takeover is (256 - priority) / 256 of an advertisement.
    return 250 - names.index(machine.name)


def _peers(machine: Machine, balancing: Balancing) -> str:
    others = [balancer.address for balancer in balancing.balancers if balancer.name != machine.name]
    if not others:
        return ""
    lines = "".join(f"    {address}\n" for address in others)
    return f"  unicast_peer {{\n{lines}  }}\n"


def listening(raw_sockets: str) -> frozenset[str]:
    """The sockets, by inode, with which Keepalived hears the other balancer; none while it does not run, and others
    once it was started anew. `raw_sockets` is the kernel's list."""
    _, *rows = [line.split() for line in raw_sockets.splitlines()]
    return frozenset(row[9] for row in rows if int(row[1].rpartition(":")[2], 16) == PROTOCOL)


def balancer_service() -> str:
    """HAProxy's unit on a balancer: it also writes whether it runs, which Keepalived follows."""
    return unit(
        description="kube-ha: balancer in front of the masters",
        configuration=HAPROXY_CONFIGURATION,
        runtime_folder=RUNTIME_FOLDER,
        directives=(
            "RuntimeDirectoryPreserve=yes",
            f"ExecStartPost=/bin/sh -c 'echo 0 > {STATE}'",
            f"ExecStopPost=/bin/sh -c 'echo 1 > {STATE}'",
        ),
    )


def service(machine: Machine) -> str:
    """Keepalived's unit.

    The other balancer has the address within milliseconds of this one's stop, and all connections through this one are
    lost then. That it says so at once takes an address to say it from: the device `lo` has it as well by then, while
    the sysctls keep the segment from learning of that. HAProxy, which is stopped next, answers what is on its way and
    ends every connection. Without, a client finds out one kept connection after the other, each by a failed request,
    and waits for answers until its own timeout.

    Raises:
        ValueError: the machine has nothing to balance.
    """
    if machine.balancing is None:
        raise ValueError(f"{machine.name}: a {machine.role} without `balancing` has no virtual address to leave")
    address = ip_interface(machine.balancing.virtual_address).ip
    return f"""\
[Unit]
Description=kube-ha: the balancers' virtual address
After=network.target {HAPROXY_UNIT}
Wants={HAPROXY_UNIT}
StartLimitIntervalSec=0

[Service]
Type=simple
# Gone with the process: a number left behind that another process has by now would keep Keepalived from starting.
RuntimeDirectory=kube-ha-address
ExecStartPre=/sbin/sysctl -q -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
ExecStartPre=/sbin/ip address flush dev lo to {address}
ExecStart=/usr/sbin/keepalived --dont-fork --vrrp --use-file={CONFIGURATION} --log-console --no-syslog \\
  --pid=/run/kube-ha-address/keepalived.pid --vrrp_pid=/run/kube-ha-address/vrrp.pid
ExecReload=/bin/kill -HUP $MAINPID
ExecStop=/bin/sh -c '{_farewell(str(address))}'
# Keepalived itself would stay a second after the address has left, and HAProxy as long.
KillSignal=SIGKILL
SuccessExitStatus=SIGKILL
KillMode=mixed
TimeoutStopSec={LEAVING_SECONDS}
Nice=-10
Restart=always
RestartSec=100ms

[Install]
WantedBy=multi-user.target
"""


def _farewell(address: str) -> str:
    """The shell's words that return when `address` has left the segment; none where Keepalived has ended by itself."""
    return (
        '[ -n "$MAINPID" ] || exit 0; '
        f"ip address replace {address}/32 dev lo scope host; "
        "kill -TERM $MAINPID; "
        f"while ip -4 -oneline address show dev {INTERFACE} to {address} | grep -q .; do sleep 0.01; done; "
        f"sleep {IN_FLIGHT_SECONDS}"
    )
