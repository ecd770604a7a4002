"""What may be asked for, and where it is put."""

from ipaddress import IPv4Network
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from providers.local import specs
from providers.local.addresses import Addresses, port
from providers.local.network import hardware_address
from providers.local.outputs import outputs
from providers.local.resources import camel, snake
from providers.local.specs import Kind, Network, Slot, failures, parse

NAMES = st.from_regex(specs.NAME, fullmatch=True)
CIDRS = st.integers(0, 255).map(lambda n: f"10.{n}.0.0/16")


@settings(deadline=None)
@given(name=NAMES, cidr=CIDRS, zones=st.lists(NAMES, min_size=1, max_size=9, unique=True))
def test_segments_lie_apart_inside_the_network(name: str, cidr: str, zones: list[str]) -> None:
    addresses = Addresses(Network(name=name, cidr=cidr, zones=tuple(zones)))
    cidrs = [segment.cidr for segment in addresses.segments]
    assert all(block.subnet_of(IPv4Network(cidr)) for block in cidrs)
    assert not any(a.overlaps(b) for i, a in enumerate(cidrs) for b in cidrs[i + 1 :])
    assert not any(addresses.host_link in block for block in cidrs)


@settings(deadline=None)
@given(first=NAMES, second=NAMES, zone=NAMES, machine=NAMES)
def test_two_networks_never_share_a_kernel_name(first: str, second: str, zone: str, machine: str) -> None:
    a, b = (Addresses(Network(name=name, cidr="10.1.0.0/16", zones=(zone,))) for name in (first, second))

    def names(addresses: Addresses) -> set[str]:
        segments = {segment.namespace for segment in addresses.segments}
        return {addresses.router_namespace, addresses.machine_namespace(machine), *segments, addresses.host_interface}

    assert len(names(a)) == 5
    assert (first == second) == bool(names(a) & names(b))


@settings(deadline=None)
@given(name=NAMES, number=st.integers(1, 200), host=st.integers(2, 254))
def test_interface_names_fit_the_kernel(name: str, number: int, host: int) -> None:
    zones = tuple(f"z{i}" for i in range(1, number + 1))
    addresses = Addresses(Network(name=name, cidr="10.1.0.0/16", zones=zones))
    slot = Slot.model_validate({"machine": "m", "zone": "z1", "address": f"10.1.1.{host}"})
    interfaces = [addresses.host_interface, port(slot), *(s.router_interface for s in addresses.segments)]
    assert all(len(interface) <= 15 for interface in interfaces)


@settings(deadline=None)
@given(st.ip_addresses(v=4), st.ip_addresses(v=4))
def test_a_hardware_address_is_of_one_ip_address_only(first: object, second: object) -> None:
    a, b = (Slot.model_validate({"machine": "m", "zone": "z", "address": str(ip)}) for ip in (first, second))
    assert (hardware_address(a) == hardware_address(b)) == (first == second)


@pytest.mark.parametrize(
    ("kind", "properties", "named", "accepted"),
    [
        (Kind.NETWORK, {"name": "N", "cidr": "10.1.0.0/16", "zones": ["a"]}, "name", "a-z"),
        (Kind.NETWORK, {"name": "n", "cidr": "10.1.0.0/24", "zones": ["a"]}, "cidr", "10.77.0.0/16"),
        (Kind.NETWORK, {"name": "n", "cidr": "8.8.0.0/16", "zones": ["a"]}, "cidr", "private /16"),
        (Kind.NETWORK, {"name": "n", "cidr": "10.1.0.0/16", "zones": []}, "zones", "at least 1"),
        (Kind.NETWORK, {"name": "n", "cidr": "10.1.0.0/16", "zones": ["a"], "zone": "b"}, "zone", "not permitted"),
        (Kind.VOLUME, {"name": "v", "network": "n", "zone": "a", "sizeMb": 0}, "sizeMb", "greater than or equal to 1"),
        (Kind.BUCKET_OBJECT, {"bucket": "b", "key": "/k", "source": "s", "sha256": "0" * 64}, "key", "not start with"),
    ],
)
def test_a_wrong_property_is_named_with_what_is_accepted(
    kind: Kind, properties: dict[str, object], named: str, accepted: str
) -> None:
    with pytest.raises(ValidationError) as error:
        parse(kind, properties)
    assert any(name == named and accepted in reason for name, reason in failures(error.value)), failures(error.value)


@pytest.mark.parametrize("kind", list(Kind))
def test_every_property_has_one_name_in_python_and_one_outside(kind: Kind) -> None:
    for name in specs.SPECS[kind].model_fields:
        assert snake(camel(name)) == name


def test_a_template_is_all_that_a_machine_boots_with_and_nothing_of_its_slot() -> None:
    slot: dict[str, object] = {"machine": "m", "zone": "a", "address": "10.1.1.21"}
    base: dict[str, object] = {
        "name": "g",
        "network": "n",
        "role": "r",
        "image": "/i",
        "userData": "x",
        "memoryMb": 64,
        "slots": [slot],
    }

    def template(**changes: object) -> object:
        return outputs(parse(Kind.MACHINE_GROUP, base | changes), Path("/"))["template"]

    others: list[dict[str, object]] = [{"userData": "y"}, {"image": "/other"}, {"memoryMb": 128}]
    assert len({template(), *(template(**change) for change in others)}) == 4
    assert template(slots=[{**slot, "machine": "other"}]) == template()
