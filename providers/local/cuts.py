"""Cutting zones and machines from the network: which commands make and undo a cut. Pure.

Every cut is made on the segment's side of a cable, where the machine cannot undo it:

    link      the port goes down: the other side sees its carrier go
    silent    the port leaves its bridge: carrier stays, frames go nowhere
    one-way   what is sent to the target is lost; what the target sends arrives
    peers     what a machine with a volume and the others that have one send each other is lost; all else arrives
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address

from pydantic import BaseModel, ConfigDict

from providers.local.addresses import Addresses, port
from providers.local.specs import Slot

UPLINK = "wan"
TABLE = "kha"


class CutKind(StrEnum):
    """How something is cut."""

    LINK = "link"
    SILENT = "silent"
    ONE_WAY = "one-way"
    PEERS = "peers"


class Cut(BaseModel):
    """A zone or a machine that is cut."""

    model_config = ConfigDict(frozen=True)

    network: str
    target: str
    kind: CutKind

    def hits(self, network: str, slot: Slot) -> bool:
        """Whether it is of that machine of a network, or of its zone."""
        return self.network == network and self.target in (slot.machine, slot.zone)


@dataclass(frozen=True)
class Cable:
    """An interface on a segment's bridge."""

    namespace: str
    interface: str
    peers: tuple[IPv4Address, ...] = ()
    """Of a machine with a volume: the others that have one."""


class UnknownTargetError(Exception):
    """A name that is neither a zone nor a machine, or not one that can be cut so."""


def cables(addresses: Addresses, slots: Sequence[Slot], target: str) -> list[Cable]:
    """The cables that hang a zone (its uplink, and its machines on the edge segment) or a machine on the network.

    Raises:
        UnknownTargetError: the network has no such zone or machine.
    """
    if target in addresses.zones:
        edge = [slot for slot in slots if slot.edge and slot.zone == target]
        uplink = Cable(addresses.zones[target].namespace, UPLINK)
        return [uplink, *(Cable(addresses.edge.namespace, port(slot)) for slot in edge)]
    for slot in slots:
        if slot.machine == target:
            return [Cable(addresses.segment(slot).namespace, port(slot), _peers(slots, slot))]
    known = [*addresses.zones, *(slot.machine for slot in slots)]
    raise UnknownTargetError(f"{target!r} is neither a zone nor a machine of {addresses.name}: {', '.join(known)}")


def check(found: Sequence[Cable], target: str, kind: CutKind) -> None:
    """Raise `UnknownTargetError` when what hangs on these cables cannot be cut so."""
    if kind is CutKind.PEERS and not any(cable.peers for cable in found):
        raise UnknownTargetError(f"{target!r} has no peers to be cut from: accepted is a machine with a volume")


def make(cable: Cable, kind: CutKind) -> list[list[str]]:
    """Commands that cut a cable; run again they change nothing."""
    match kind:
        case CutKind.LINK:
            return [_link(cable, "down")]
        case CutKind.SILENT:
            return [_link(cable, "nomaster")]
        case CutKind.ONE_WAY:
            # On egress of the bridge's port, since that is the side towards the target.
            return [
                _nft(cable, "add", "table", "netdev", TABLE),
                _nft(cable, "add", "chain", "netdev", TABLE, cable.interface, _hook(cable, "egress", "drop")),
            ]
        case CutKind.PEERS:
            return [_nft(cable, "add", "table", "netdev", TABLE), *_from_peers(cable)]


def undo(cable: Cable) -> list[list[str]]:
    """Commands that heal a cable, however it was cut."""
    return [
        _nft(cable, "add", "table", "netdev", TABLE),
        # Adding first makes deleting a chain that is not there no error; nft has no `delete if exists` in Debian 12.
        *(
            _nft(cable, change, "chain", "netdev", TABLE, chain)
            for chain in (cable.interface, _incoming(cable))
            for change in ("add", "delete")
        ),
        ["ip", "-n", cable.namespace, "link", "set", cable.interface, "master", "bridge", "up"],
    ]


def _link(cable: Cable, change: str) -> list[str]:
    return ["ip", "-n", cable.namespace, "link", "set", cable.interface, change]


def _nft(cable: Cable, *words: str) -> list[str]:
    return ["ip", "netns", "exec", cable.namespace, "nft", *words]


def _hook(cable: Cable, side: str, policy: str) -> str:
    return f'{{ type filter hook {side} device "{cable.interface}" priority 0; policy {policy}; }}'


def _peers(slots: Sequence[Slot], mine: Slot) -> tuple[IPv4Address, ...]:
    return tuple(slot.address for slot in slots if slot.volume and slot != mine) if mine.volume else ()


def _from_peers(cable: Cable) -> list[list[str]]:
    peers = "{ " + ", ".join(str(peer) for peer in cable.peers) + " }"
    sides = ((cable.interface, "egress", "saddr"), (_incoming(cable), "ingress", "daddr"))
    return [
        command
        for chain, side, address in sides
        for command in (
            _nft(cable, "add", "chain", "netdev", TABLE, chain, _hook(cable, side, "accept")),
            _nft(cable, "add", "rule", "netdev", TABLE, chain, "ip", address, peers, "drop"),
        )
    ]


def _incoming(cable: Cable) -> str:
    """The chain of what the machine sends."""
    return f"{cable.interface}-in"
