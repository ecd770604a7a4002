"""Whether a resource fits what exists. Pure: asked before anything is made, and again when it is made."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Network

from providers.local import specs
from providers.local.addresses import Addresses
from providers.local.specs import Kind, MachineGroup, Slot
from providers.local.state import Resource

Failure = tuple[str, str]
"""A property and what is wrong with it."""

RESERVED_HOSTS = frozenset({0, 1, 255})
"""Last bytes that no machine may have: the network itself, its router, broadcast."""


def conflict(resource: Resource, existing: Sequence[Resource]) -> str | None:
    """Why a resource cannot exist beside the others, or None."""
    others = [other for other in existing if other.id != resource.id]
    return next((f"{name}: {reason}" for name, reason in fit(resource, others)), None)


def fit(resource: Resource, others: Sequence[Resource]) -> Iterator[Failure]:
    """Everything that keeps a resource from existing beside `others`, which do not include itself."""
    for other in others:
        if other.identity == resource.identity:
            yield "key" if resource.kind is Kind.BUCKET_OBJECT else "name", _taken(resource, other)
    spec = resource.spec
    if isinstance(spec, specs.Network):
        yield from _network(spec, others)
    elif isinstance(spec, specs.BucketObject):
        if not any(isinstance(o.spec, specs.Bucket) and o.spec.name == spec.bucket for o in others):
            yield "bucket", f"there is no bucket {spec.bucket!r}"
    else:
        networks = [o.spec for o in others if isinstance(o.spec, specs.Network)]
        network = next((candidate for candidate in networks if candidate.name == spec.network), None)
        if network is None:
            there = ", ".join(sorted(candidate.name for candidate in networks)) or "none"
            yield "network", f"there is no network {spec.network!r}; there is: {there}"
        elif isinstance(spec, specs.Volume):
            yield from _zone("zone", spec.zone, network)
        elif isinstance(spec, MachineGroup):
            yield from _slots(spec, network, others)


def users(resource: Resource, others: Iterable[Resource]) -> list[Resource]:
    """Those that cannot be without a resource."""
    spec = resource.spec
    if isinstance(spec, specs.Network):
        return [o for o in others if o.id != resource.id and o.network == spec.name]
    if isinstance(spec, specs.Bucket):
        return [o for o in others if isinstance(o.spec, specs.BucketObject) and o.spec.bucket == spec.name]
    if isinstance(spec, specs.Volume):
        return [o for o in others if o.network == spec.network and spec.name in _volumes(o)]
    return []


def new_memory_mb(groups: Iterable[Resource], existing: Iterable[Resource]) -> int:
    """MiB that machines of `groups` need which do not run yet."""
    running = {(o.network, slot.machine) for o in existing for slot in slots_of(o)}
    return sum(
        group.spec.memory_mb
        for group in groups
        if isinstance(group.spec, MachineGroup)
        for slot in group.spec.slots
        if (group.network, slot.machine) not in running
    )


def new_disk_mb(volumes: Iterable[Resource], existing: Iterable[Resource]) -> int:
    """MiB that volumes may come to need beyond those that exist."""
    there = {o.identity: o.spec.size_mb for o in existing if isinstance(o.spec, specs.Volume)}
    return sum(
        max(0, volume.spec.size_mb - there.get(volume.identity, 0))
        for volume in volumes
        if isinstance(volume.spec, specs.Volume)
    )


def slots_of(resource: Resource) -> tuple[Slot, ...]:
    """The slots of a group; none of anything else."""
    return resource.spec.slots if isinstance(resource.spec, MachineGroup) else ()


def _volumes(resource: Resource) -> set[str]:
    return {slot.volume for slot in slots_of(resource) if slot.volume}


def _taken(resource: Resource, other: Resource) -> str:
    name = " ".join(resource.identity[1:])
    return (
        f"{resource.kind} {name!r} exists already: it is {other.owner.urn}. Choose another name, or remove what stack "
        f"{other.owner.stack!r} has here with `.venv/bin/python -m providers.local purge --stack {other.owner.stack}`"
    )


def _network(spec: specs.Network, others: Sequence[Resource]) -> Iterator[Failure]:
    for other in others:
        if isinstance(other.spec, specs.Network) and IPv4Network(spec.cidr).overlaps(IPv4Network(other.spec.cidr)):
            yield "cidr", f"{spec.cidr} overlaps {other.spec.cidr} of network {other.spec.name!r} ({other.owner.urn})"


def _zone(name: str, zone: str, network: specs.Network) -> Iterator[Failure]:
    if zone not in network.zones:
        yield name, f"{zone!r} is no zone of network {network.name!r}; its zones: {', '.join(network.zones)}"


def _slots(spec: MachineGroup, network: specs.Network, others: Sequence[Resource]) -> Iterator[Failure]:
    neighbours = [slot for other in others if other.network == network.name for slot in slots_of(other)]
    machines = Counter(slot.machine for slot in [*spec.slots, *neighbours])
    addresses = Counter(slot.address for slot in [*spec.slots, *neighbours])
    attached = Counter(slot.volume for slot in [*spec.slots, *neighbours] if slot.volume)
    volumes = {o.spec.name: o.spec for o in others if isinstance(o.spec, specs.Volume) and o.network == network.name}
    for index, slot in enumerate(spec.slots):
        at = f"slots[{index}]"
        if machines[slot.machine] > 1 or slot.machine in network.zones:
            yield f"{at}.machine", f"{slot.machine!r} is taken by another machine or a zone of {network.name!r}"
        if addresses[slot.address] > 1:
            yield f"{at}.address", f"{slot.address} is another machine's too"
        if slot.volume:
            yield from _volume(f"{at}.volume", slot, volumes.get(slot.volume), attached[slot.volume])
        known = list(_zone(f"{at}.zone", slot.zone, network))
        yield from known or _address(f"{at}.address", slot, network)


def _volume(at: str, slot: Slot, volume: specs.Volume | None, machines: int) -> Iterator[Failure]:
    if volume is None:
        yield at, f"there is no volume {slot.volume!r}"
    elif volume.zone != slot.zone:
        yield at, f"volume {slot.volume!r} is in {volume.zone}; the machine is in {slot.zone}"
    if machines > 1:
        yield at, f"volume {slot.volume!r} is another machine's too"


def _address(at: str, slot: Slot, network: specs.Network) -> Iterator[Failure]:
    segment = Addresses(network).segment(slot)
    if slot.address not in segment.cidr or int(slot.address) & 0xFF in RESERVED_HOSTS:
        yield (
            at,
            f"{slot.address} is no machine's address in {segment.name}; accepted: {segment.cidr} without .0, .1, .255",
        )
