"""Which cables a cut takes, and that healing undoes every kind of it."""

from ipaddress import IPv4Address

import pytest

from providers.local.addresses import Addresses
from providers.local.cuts import Cable, CutKind, UnknownTargetError, cables, check, make, undo
from providers.local.keeper import back_off
from providers.local.specs import Network, Slot

ADDRESSES = Addresses(Network(name="n", cidr="10.1.0.0/16", zones=("zone-a", "zone-b")))
SLOTS = [
    Slot.model_validate({"machine": "m1", "zone": "zone-a", "address": "10.1.1.21", "volume": "m1"}),
    Slot.model_validate({"machine": "m2", "zone": "zone-b", "address": "10.1.2.21", "volume": "m2"}),
    Slot.model_validate({"machine": "b1", "zone": "zone-a", "address": "10.1.0.11", "edge": True}),
    Slot.model_validate({"machine": "b2", "zone": "zone-b", "address": "10.1.0.12", "edge": True}),
]


def test_a_zone_is_cut_with_its_machines_on_the_edge_segment() -> None:
    assert cables(ADDRESSES, SLOTS, "zone-a") == [Cable("kha-n.z.zone-a", "wan"), Cable("kha-n.edge", "port11")]


def test_a_machine_is_cut_at_its_own_port() -> None:
    assert cables(ADDRESSES, SLOTS, "m1") == [Cable("kha-n.z.zone-a", "port21", (IPv4Address("10.1.2.21"),))]
    assert cables(ADDRESSES, SLOTS, "b2") == [Cable("kha-n.edge", "port12")]


def test_an_unknown_target_is_told_what_there_is() -> None:
    with pytest.raises(UnknownTargetError, match="zone-a, zone-b, m1, m2, b1, b2"):
        cables(ADDRESSES, SLOTS, "zone-c")


@pytest.mark.parametrize("target", ["zone-a", "b1"])
def test_what_has_no_peers_is_not_cut_from_them(target: str) -> None:
    with pytest.raises(UnknownTargetError, match=f"'{target}' has no peers .* accepted is a machine with a volume"):
        check(cables(ADDRESSES, SLOTS, target), target, CutKind.PEERS)


@pytest.mark.parametrize("kind", list(CutKind))
def test_every_command_works_inside_the_namespace_of_its_cable(kind: CutKind) -> None:
    cable = Cable("kha-n.edge", "port11", (IPv4Address("10.1.2.21"),))
    for command in [*make(cable, kind), *undo(cable)]:
        assert command[:3] == ["ip", "-n", "kha-n.edge"] or command[:4] == ["ip", "netns", "exec", "kha-n.edge"]


@pytest.mark.parametrize(("deaths", "seconds"), [(0, 0), (1, 0), (2, 1), (3, 2), (4, 4), (7, 30), (99, 30)])
def test_a_machine_that_does_not_boot_is_tried_less_and_less(deaths: int, seconds: float) -> None:
    assert back_off(deaths) == seconds
