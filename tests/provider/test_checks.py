"""What does not fit is refused before anything is made, and the reason says what to change."""

from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest

from providers.local.checks import fit, users
from providers.local.host import Host, lacks
from providers.local.specs import Kind, parse
from providers.local.state import Owner, Resource

HOST = Host(is_root=True, memory_mb=4096, disk_mb=4096, routes=(IPv4Network("192.168.0.0/24"),), missing=())


def resource(kind: Kind, identity: str, /, **spec: Any) -> Resource:
    owner = Owner.of(f"urn:pulumi:s::p::local:index:{kind}::{identity}")
    return Resource(id=identity, kind=kind, owner=owner, spec=parse(kind, spec))


def slot(machine: str = "m1", zone: str = "zone-a", address: str = "10.1.1.21", **more: Any) -> dict[str, Any]:
    return {"machine": machine, "zone": zone, "address": address, **more}


def group(name: str, *slots: dict[str, Any], image: str = "/image", memory: int = 64) -> Resource:
    spec = {"name": name, "network": "net", "role": "r", "image": image, "userData": "", "memoryMb": memory}
    return resource(Kind.MACHINE_GROUP, name, **spec, slots=slots)


NETWORK = resource(Kind.NETWORK, "net", name="net", cidr="10.1.0.0/16", zones=["zone-a", "zone-b"])
VOLUME = resource(Kind.VOLUME, "vol", name="vol", network="net", zone="zone-a", sizeMb=1024)


@pytest.mark.parametrize(
    ("slots", "named", "reason"),
    [
        ([slot(zone="zone-x")], "slots[0].zone", "zone-a, zone-b"),
        ([slot(address="10.1.2.21")], "slots[0].address", "10.1.1.0/24"),
        ([slot(address="10.1.1.1")], "slots[0].address", "10.1.1.0/24"),
        ([slot(address="10.1.1.21", edge=True)], "slots[0].address", "10.1.0.0/24"),
        ([slot(), slot(address="10.1.1.22")], "slots[1].machine", "taken"),
        ([slot(), slot("m2")], "slots[1].address", "another machine's"),
        ([slot("zone-a")], "slots[0].machine", "a zone"),
        ([slot(volume="no")], "slots[0].volume", "no volume"),
        ([slot(zone="zone-b", address="10.1.2.21", volume="vol")], "slots[0].volume", "zone-a"),
        ([slot(volume="vol"), slot("m2", address="10.1.1.22", volume="vol")], "slots[1].volume", "another machine's"),
    ],
)
def test_a_slot_that_does_not_fit_is_named(slots: list[dict[str, Any]], named: str, reason: str) -> None:
    found = list(fit(group("g", *slots), [NETWORK, VOLUME]))
    assert any(name == named and reason in text for name, text in found), found


def test_what_fits_is_not_refused() -> None:
    assert not list(fit(group("g", slot(volume="vol"), slot("b", address="10.1.0.11", edge=True)), [NETWORK, VOLUME]))


def test_a_taken_name_says_whose_it_is() -> None:
    other = resource(Kind.NETWORK, "theirs", name="net", cidr="10.2.0.0/16", zones=["a"])
    found = dict(fit(NETWORK, [other]))
    assert other.owner.urn in found["name"]
    assert "purge --stack s" in found["name"]


def test_overlapping_networks_are_refused() -> None:
    other = resource(Kind.NETWORK, "theirs", name="other", cidr="10.1.0.0/16", zones=["a"])
    assert "10.1.0.0/16 of network 'other'" in dict(fit(NETWORK, [other]))["cidr"]


def test_a_network_that_is_not_there_is_named() -> None:
    assert "'net'" in dict(fit(VOLUME, []))["network"]


def test_what_is_used_is_not_removed_under_its_users() -> None:
    user = group("g", slot(volume="vol"))
    assert users(NETWORK, [NETWORK, VOLUME, user]) == [VOLUME, user]
    assert users(VOLUME, [NETWORK, VOLUME, user]) == [user]
    assert users(user, [NETWORK, VOLUME, user]) == []


def test_a_host_route_is_not_taken_over() -> None:
    wide = resource(Kind.NETWORK, "n", name="n", cidr="192.168.0.0/16", zones=["a"])
    assert "192.168.0.0/24" in dict(lacks(wide, [], [], HOST))["cidr"]


def test_without_root_the_first_resource_says_so() -> None:
    host = Host(is_root=False, memory_mb=1, disk_mb=1, routes=(), missing=("nft",))
    reasons = [reason for _, reason in lacks(NETWORK, [], [], host)]
    assert any("root" in reason for reason in reasons)
    assert any("nft" in reason and "make tools" in reason for reason in reasons)


def test_too_little_memory_says_how_much_all_planned_machines_need(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    first = group("a", slot(), image=str(tmp_path), memory=3000)
    second = group("b", slot("m2", address="10.1.1.22"), image=str(tmp_path), memory=2000)
    assert not list(lacks(second, [], [], HOST))
    assert "5000 MiB" in dict(lacks(second, [first], [], HOST))["memoryMb"]
    assert not list(lacks(second, [first], [first, second], HOST)), "machines that run need nothing more"


def test_too_little_disk_says_how_much_all_planned_volumes_need() -> None:
    large = resource(Kind.VOLUME, "large", name="large", network="net", zone="zone-a", sizeMb=4000)
    assert "5024 MiB" in dict(lacks(large, [VOLUME], [], HOST))["sizeMb"]
    assert not list(lacks(large, [VOLUME], [large], HOST))


def test_a_missing_image_says_what_to_run() -> None:
    assert "make tools" in dict(lacks(group("g", slot()), [], [], HOST))["image"]
