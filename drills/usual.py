"""HAProxy and Keepalived as kubeadm's documents have them: what a drill's numbers are compared with. Pure.

After "High Availability Considerations" of the kubernetes/kubeadm repository (docs/ha-considerations.md), with its
values for everything that decides about a failover. What HAProxy logs goes nowhere here, advertisements go to the other
balancer instead of to a group, as ours do, and the check is written in Python, since the machines have no curl.
"""

from typing import Final

from components.node.health import API_PORT
from components.node.keepalived import INTERFACE
from components.node.machine import Balancing, Machine

ROUTER_ID: Final = 51

CHECK_FILE: Final = "/run/kube-ha-drill/check_apiserver.py"
CHECK: Final = f"""\
import ssl
import urllib.request

unverified = ssl.create_default_context()
unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE
urllib.request.urlopen("https://localhost:{API_PORT}/healthz", timeout=2, context=unverified)
"""
"""The sample's check_apiserver.sh: fails unless the balancer's own HAProxy leads to an API server that is well."""


def haproxy(machine: Machine) -> str:
    """The sample's haproxy.cfg."""
    servers = "\n".join(
        f"    server {master.name} {master.address}:{API_PORT} check verify none"
        for master in _balancing(machine).masters
    )
    return f"""\
global
    maxconn 4000

defaults
    mode                    http
    option                  dontlognull
    option http-server-close
    option                  redispatch
    retries                 1
    timeout http-request    10s
    timeout queue           20s
    timeout connect         5s
    timeout client          35s
    timeout server          35s
    timeout http-keep-alive 10s
    timeout check           10s

frontend apiserver
    bind *:{API_PORT}
    mode tcp
    default_backend apiserverbackend

backend apiserverbackend
    option httpchk
    http-check connect ssl
    http-check send meth GET uri /healthz
    http-check expect status 200
    mode tcp
    balance     roundrobin
{servers}
"""


def keepalived(machine: Machine) -> str:
    """The sample's keepalived.conf: the first balancer is the master, advertisements come once a second."""
    balancing = _balancing(machine)
    first = machine.name == balancing.balancers[0].name
    peers = "\n".join(f"        {one.address}" for one in balancing.balancers if one.name != machine.name)
    return f"""\
global_defs {{
    router_id LVS_DEVEL
    script_user root
    enable_script_security
}}
vrrp_script check_apiserver {{
    script "/usr/bin/python3 {CHECK_FILE}"
    interval 3
    weight -2
    fall 10
    rise 2
}}

vrrp_instance VI_1 {{
    state {"MASTER" if first else "BACKUP"}
    interface {INTERFACE}
    virtual_router_id {ROUTER_ID}
    priority {101 if first else 100}
    unicast_src_ip {machine.address}
    unicast_peer {{
{peers}
    }}
    authentication {{
        auth_type PASS
        auth_pass 42
    }}
    virtual_ipaddress {{
        {balancing.virtual_address}
    }}
    track_script {{
        check_apiserver
    }}
}}
"""


def _balancing(machine: Machine) -> Balancing:
    if machine.balancing is None:
        raise ValueError(f"{machine.name}: a {machine.role} without `balancing` is no balancer")
    return machine.balancing
