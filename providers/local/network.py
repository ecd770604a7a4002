"""Networks in the kernel: a router, an edge segment and zones as namespaces, joined by veths.

host ─ kha-… ─ router ┬ seg0 ─ wan ─ bridge (edge)
                      ├ seg1 ─ wan ─ bridge (first zone) ─ port21 ─ eth0 (a machine)
                      └ …
"""

import contextlib
import json
from ipaddress import IPv4Address, IPv4Network

from providers.local import netns
from providers.local.addresses import Addresses, Segment, port, prefix
from providers.local.commands import CommandError, ip, run
from providers.local.cuts import UPLINK
from providers.local.specs import Slot

METADATA_ADDRESS = "169.254.169.254"
"""Where clouds' metadata services answer, and so the machine API of this one."""


def ensure(addresses: Addresses) -> None:
    """Make what is missing of a network; machines and their traffic are not touched."""
    if not netns.path(addresses.router_namespace).exists():
        _make_router(addresses)
    for segment in addresses.segments:
        if not netns.path(segment.namespace).exists():
            _make_segment(addresses, segment)


def remove(addresses: Addresses) -> None:
    """Remove all of a network, machines' namespaces included."""
    sweep(addresses.name)


def sweep(network: str) -> None:
    """Remove every namespace that is named as of this network; the host's link goes with the router's."""
    for name in netns.names(prefix(network)):
        netns.remove(name)


def _make_router(addresses: Addresses) -> None:
    router = addresses.router_namespace
    netns.add(router)
    run("ip", "netns", "exec", router, "sysctl", "-qw", "net.ipv4.ip_forward=1")
    ip(router, [f"address add {METADATA_ADDRESS}/32 dev lo"])
    link = addresses.host_interface
    with contextlib.suppress(CommandError):
        run("ip", "link", "delete", link)
    ip(
        None,
        [
            f"link add {link} type veth peer name host netns {router}",
            f"address add {addresses.host_link}/30 dev {link}",
            f"link set {link} up",
        ],
    )
    ip(router, [f"address add {addresses.router_link}/30 dev host", "link set host up"])
    ip(None, [f"route add {addresses.cidr} via {addresses.router_link} dev {link} src {addresses.host_link}"])


def _make_segment(addresses: Addresses, segment: Segment) -> None:
    netns.add(segment.namespace)
    ip(
        segment.namespace,
        [
            "link add bridge type bridge stp_state 0 forward_delay 0",
            "link set bridge up",
            f"link add {UPLINK} type veth peer name {segment.router_interface} netns {addresses.router_namespace}",
            f"link set {UPLINK} master bridge up",
        ],
    )
    ip(
        addresses.router_namespace,
        [
            f"address add {segment.gateway}/{segment.cidr.prefixlen} dev {segment.router_interface}",
            f"link set {segment.router_interface} up",
        ],
    )


def plug(addresses: Addresses, slot: Slot) -> None:
    """Give a slot's machine a new namespace with `eth0`, its address and a default route."""
    unplug(addresses, slot.machine)
    segment, machine = addresses.segment(slot), addresses.machine_namespace(slot.machine)
    netns.add(machine)
    ip(
        segment.namespace,
        [
            f"link add {port(slot)} type veth peer name eth0 netns {machine} address {hardware_address(slot)}",
            f"link set {port(slot)} master bridge up",
        ],
    )
    ip(
        machine,
        [
            f"address add {slot.address}/{segment.cidr.prefixlen} dev eth0",
            "link set eth0 up",
            f"route add default via {segment.gateway}",
        ],
    )


def hardware_address(slot: Slot) -> str:
    """A slot's MAC address: the same for every incarnation, so that neighbours need not learn the new machine first."""
    return ":".join(["02", "6b", *(f"{byte:02x}" for byte in slot.address.packed)])


def unplug(addresses: Addresses, machine: str) -> None:
    """Remove a machine's namespace and with it its port."""
    namespace = addresses.machine_namespace(machine)
    if netns.path(namespace).exists():
        # The interface first: a namespace outlives its name while a dying process is in it, and would hold the port.
        with contextlib.suppress(CommandError):
            run("ip", "-n", namespace, "link", "delete", "eth0")
        netns.remove(namespace)


def route(addresses: Addresses, cidr: IPv4Network, slot: Slot) -> None:
    """Send `cidr` to a slot's machine."""
    interface = addresses.segment(slot).router_interface
    ip(addresses.router_namespace, [f"route replace {cidr} via {slot.address} dev {interface}"])


def routes(addresses: Addresses) -> dict[IPv4Network, IPv4Address]:
    """Where the router sends what is not its own: CIDR → the machine's address."""
    entries = json.loads(run("ip", "-n", addresses.router_namespace, "-json", "-4", "route", "show"))
    return {
        IPv4Network(entry["dst"]): IPv4Address(entry["gateway"])
        for entry in entries
        if "gateway" in entry and entry["dst"] != "default"
    }


def end_route(addresses: Addresses, cidr: IPv4Network, via: IPv4Address) -> None:
    """Send `cidr` nowhere, if it goes to the machine at `via`; a route that is gone is fine."""
    if routes(addresses).get(cidr) == via:
        with contextlib.suppress(CommandError):
            ip(addresses.router_namespace, [f"route delete {cidr} via {via}"])


def unroute(addresses: Addresses, slot: Slot) -> None:
    """Remove all routes to a slot's machine."""
    ip(addresses.router_namespace, [f"route flush via {slot.address}"])
