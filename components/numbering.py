"""Addresses of machines that keep theirs: each the next one of its zone's range. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network

from components.topology import Master, Member


def in_order(machines: Iterable[Master | Member], ranges: Mapping[str, IPv4Network], first: int = 0) -> dict[str, str]:
    """Machine → address, in each zone from number `first` of its range on."""
    taken: Counter[str] = Counter()
    addresses = {}
    for machine in machines:
        addresses[machine.name] = str(ranges[machine.zone][first + taken[machine.zone]])
        taken[machine.zone] += 1
    return addresses
