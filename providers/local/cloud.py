"""The local cloud's records: who owns what, and the operations on resources. `hardware` makes them real."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from providers.local import specs, state
from providers.local.checks import conflict, users
from providers.local.cuts import Cut, CutKind, check
from providers.local.differences import replacing
from providers.local.hardware import Hardware, MissingError
from providers.local.keeper import Keeper, Order
from providers.local.objects import Bucket
from providers.local.outputs import outputs, volume_file
from providers.local.specs import Kind
from providers.local.state import Resource
from providers.local.view import MachineView
from providers.local.volumes import wipe

REMOVAL_TIMEOUT = 60.0
"""Seconds that a create waits for a resource of the same name that is being removed."""


class ConflictError(Exception):
    """What was asked for does not fit what exists."""


class Cloud:
    """Everything that exists. Safe for threads: records change under one lock, slow work happens outside it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.lock = threading.Condition()
        self.state = state.load(root / "state.json")
        self.hardware = Hardware(root, self.state, self.lock, self.save)
        self._removing: set[str] = set()

    def adopt(self) -> None:
        """Take over what the state says exists: machines that run go on, what is gone is made anew."""
        for resource in reversed(self.state.removal_order()):
            self.hardware.adopt(resource.spec)
        for cut in self.state.cuts:
            self.hardware.cut(cut)

    def save(self) -> None:
        """Write the state; called with the lock held."""
        state.save(self.state, self.root / "state.json")

    # -- resources -----------------------------------------------------------------------------------------------

    def put(self, resource: Resource) -> dict[str, Any]:
        """Create a resource, or change the one with the same id; its properties.

        Raises:
            ConflictError: its name is taken, or it does not fit its network.
        """
        with self.lock:
            self.lock.wait_for(lambda: not self._is_leaving(resource), REMOVAL_TIMEOUT)
            resources = self.state.resources
            lost = next((other for other in resources.values() if is_lost(other, resource)), None)
            reason = conflict(resource, [other for other in resources.values() if other is not lost])
            if reason:
                raise ConflictError(reason)
            old = resources.pop(lost.id).model_copy(update={"id": resource.id}) if lost else resources.get(resource.id)
            resources[resource.id] = resource
            self.save()
        try:
            self.hardware.realise(resource.spec)
        except BaseException:
            self._roll_back(resource, old)
            raise
        return resource.spec.wire() | outputs(resource.spec, self.root)

    def _roll_back(self, resource: Resource, old: Resource | None) -> None:
        if old is None:
            self.remove(resource.id)
            return
        with self.lock:
            self.state.resources[resource.id] = old
            self.save()

    def confirm(self, resource_id: str) -> None:
        """The provider has what it created: from now on the resource outlives the provider."""
        with self.lock:
            resource = self._resource(resource_id)
            self.state.resources[resource_id] = resource.model_copy(update={"creator": None})
            self.save()

    def settle(self, resource_id: str) -> None:
        """An engine has shown that it knows the resource."""
        with self.lock:
            resource = self._resource(resource_id)
            self.state.resources[resource_id] = resource.model_copy(update={"unseen_by": None})
            self.save()

    def read(self, resource_id: str) -> dict[str, Any]:
        """A resource's properties.

        Raises:
            MissingError: it does not exist any more.
        """
        with self.lock:
            spec = self._resource(resource_id).spec
        if not self.hardware.exists(spec):
            raise MissingError(f"{resource_id}: its record is there, what it describes is not")
        return spec.wire() | outputs(spec, self.root)

    def remove(self, resource_id: str) -> None:
        """Remove a resource with all its content; one that is gone is fine.

        Raises:
            ConflictError: others still use it.
        """
        with self.lock:
            resource = self.state.resources.get(resource_id)
            if resource is None:
                return
            using = users(resource, self.state.resources.values())
            if using:
                raise ConflictError(f"{resource.owner.urn} is used by {', '.join(user.owner.urn for user in using)}")
            self._removing.add(resource_id)
        try:
            self.hardware.unmake(resource.spec)
            with self.lock:
                self.state.resources.pop(resource_id, None)
                self.state.cuts = [c for c in self.state.cuts if c.network in self._network_names()]
                self.save()
        finally:
            with self.lock:
                self._removing.discard(resource_id)
                self.lock.notify_all()

    def remove_all(self, which: Callable[[Resource], bool]) -> list[str]:
        """Remove the resources for which `which` holds, users first; their URNs."""
        with self.lock:
            resources = [resource for resource in self.state.removal_order() if which(resource)]
        for resource in resources:
            self.remove(resource.id)
        return [resource.owner.urn for resource in resources]

    def _resource(self, resource_id: str) -> Resource:
        if resource_id not in self.state.resources:
            raise MissingError(f"{resource_id}: no such resource")
        return self.state.resources[resource_id]

    def _is_leaving(self, resource: Resource) -> bool:
        others = [other for other in self.state.resources.values() if other.identity == resource.identity]
        return any(other.id in self._removing or other.is_orphan for other in others)

    def _network_names(self) -> set[str]:
        return {resource.network for resource in self.state.of_kind(Kind.NETWORK)}

    # -- machines and faults -------------------------------------------------------------------------------------

    def networks_of(self, stack: str) -> list[str]:
        """Names of the networks that a stack owns.

        Raises:
            MissingError: it owns none.
        """
        with self.lock:
            names = [r.network for r in self.state.of_kind(Kind.NETWORK) if r.owner.stack == stack]
            stacks = sorted({r.owner.stack for r in self.state.resources.values()})
        if not names:
            raise MissingError(f"stack {stack!r} has nothing here; stacks that have: {', '.join(stacks) or 'none'}")
        return names

    def keeper(self, stack: str, machine: str) -> Keeper:
        """The keeper of a stack's machine.

        Raises:
            MissingError: it has none of that name.
        """
        for name in self.networks_of(stack):
            if keeper := self.hardware.keepers.get((name, machine)):
                return keeper
        known = ", ".join(view.machine for view in self.machines() if view.network in self.networks_of(stack))
        raise MissingError(f"stack {stack!r} has no machine {machine!r}; it has: {known or 'none'}")

    def machines(self) -> list[MachineView]:
        """All machines."""
        with self.lock:
            keepers = sorted(self.hardware.keepers.items())
        return [self._view(name, keeper) for (name, _), keeper in keepers]

    def _view(self, name: str, keeper: Keeper) -> MachineView:
        slot, running, last = keeper.place.slot, keeper.running, keeper.incarnation
        group, _ = self.hardware.slot(name, slot.machine)
        status = keeper.status if running and keeper.phase == "running" else None
        return MachineView(
            network=name,
            group=group.name,
            machine=slot.machine,
            role=group.role,
            zone=slot.zone,
            address=str(slot.address),
            incarnation=last.number if last else 0,
            instance=last.id if last else "",
            init_pid=running.init.pid if running else None,
            up_since=running.booted if running else None,
            started=keeper.started and running is not None,
            quick_deaths=keeper.quick_deaths,
            ready=status.ready if status else False,
            phase=status.phase if status else keeper.phase,
            message=status.message if status else keeper.message,
            template=last.template if last else "",
            desired_template=group.template,
            cuts=tuple(cut.kind for cut in self.state.cuts if cut.hits(name, slot)),
        )

    def cut(self, stack: str, target: str, kind: CutKind) -> None:
        """Cut a zone or a machine of a stack, until it is healed.

        Raises:
            MissingError, UnknownTargetError: the stack has nothing of that name, or not what can be cut so.
        """
        name = self._network_with(stack, target)
        check(self.hardware.cables(name, target), target, kind)
        cut = Cut(network=name, target=target, kind=kind)
        with self.lock:
            self.state.cuts = [*self.state.cuts, cut]
            self.save()
        self.hardware.cut(cut)

    def heal(self, stack: str) -> list[str]:
        """Undo all cuts of a stack; what they cut."""
        names = self.networks_of(stack)
        with self.lock:
            cuts = [cut for cut in self.state.cuts if cut.network in names]
            self.state.cuts = [cut for cut in self.state.cuts if cut.network not in names]
            self.save()
        for cut in cuts:
            self.hardware.heal(cut)
        return [cut.target for cut in cuts]

    def wipe(self, stack: str, volume: str) -> None:
        """Empty a volume as if its disk had been exchanged: a machine that has it is killed and boots without data.

        Raises:
            MissingError: there is no such volume.
        """
        for name in self.networks_of(stack):
            file = volume_file(self.root, name, volume)
            if file.exists():
                keepers = [k for k in self.hardware.keepers.values() if k.volume == file and k.running]
                for keeper in keepers:
                    keeper.order(Order.WIPE)
                if not keepers:
                    wipe(file)
                return
        raise MissingError(f"stack {stack!r} has no volume {volume!r}")

    def bucket(self, stack: str, name: str) -> Bucket:
        """A bucket of a stack.

        Raises:
            MissingError: it has none of that name.
        """
        networks = self.networks_of(stack)
        with self.lock:
            resources = self.state.of_kind(Kind.BUCKET)
        found = [r.spec.name for r in resources if r.network in networks and isinstance(r.spec, specs.Bucket)]
        if name not in found:
            raise MissingError(f"stack {stack!r} has no bucket {name!r}; it has: {', '.join(found) or 'none'}")
        return self.hardware.buckets[name]

    def _network_with(self, stack: str, target: str) -> str:
        names = self.networks_of(stack)
        for name in names:
            slots = self.hardware.slots(name)
            if target in self.hardware.addresses(name).zones or any(slot.machine == target for slot in slots):
                return name
        name = names[0]
        self.hardware.cables(name, target)
        return name


def is_lost(old: Resource, new: Resource) -> bool:
    """Whether `old` is what the engine that now asks for `new` made in its last operation and never wrote down."""
    return (
        old.id != new.id
        and old.owner == new.owner
        and old.identity == new.identity
        and old.creator is None
        and old.unseen_by is not None
        and old.unseen_by == new.unseen_by
        and not replacing(new.kind, old.spec.wire(), new.spec.wire())
    )
