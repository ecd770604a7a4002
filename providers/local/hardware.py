"""Making real what resources describe: networks in the kernel, keepers of machines, volumes and buckets on disk."""

import shutil
import threading
from collections.abc import Callable
from pathlib import Path

from providers.local import netns, network, specs, volumes
from providers.local.addresses import Addresses
from providers.local.commands import run
from providers.local.cuts import Cable, Cut, cables, make, undo
from providers.local.keeper import Hooks, Keeper, Status, sweep
from providers.local.machine_api import MachineApi
from providers.local.machines import Incarnation, Place
from providers.local.objects import Bucket, sha256
from providers.local.outputs import network_folder, volume_file
from providers.local.roots import Disk
from providers.local.specs import AnySpec, Kind, MachineGroup, Slot
from providers.local.state import State
from providers.local.wrapping import Wrapping


class MissingError(Exception):
    """What was asked for does not exist."""


class Hardware:
    """The things themselves. The records of what shall be are the caller's, in `state`."""

    def __init__(self, root: Path, state: State, lock: threading.Condition, save: Callable[[], None]) -> None:
        self.root = root
        self.state = state
        self.lock = lock
        self.keepers: dict[tuple[str, str], Keeper] = {}
        self.buckets: dict[str, Bucket] = {}
        self.wrapping = Wrapping(root / "wrapping.key")
        self._save = save
        self._apis: dict[str, MachineApi] = {}

    # -- what the records say ------------------------------------------------------------------------------------

    def addresses(self, name: str) -> Addresses:
        """Of the network called `name`."""
        for resource in self.state.of_kind(Kind.NETWORK):
            if isinstance(resource.spec, specs.Network) and resource.spec.name == name:
                return Addresses(resource.spec)
        raise MissingError(f"no network {name!r}")

    def groups(self, name: str) -> list[MachineGroup]:
        """All machine groups of a network."""
        found = [resource.spec for resource in self.state.of_kind(Kind.MACHINE_GROUP)]
        return [spec for spec in found if isinstance(spec, MachineGroup) and spec.network == name]

    def slots(self, name: str) -> list[Slot]:
        """All places for machines of a network."""
        return [slot for group in self.groups(name) for slot in group.slots]

    def slot(self, name: str, machine: str) -> tuple[MachineGroup, Slot]:
        """The group and the slot of a machine."""
        for group in self.groups(name):
            for slot in group.slots:
                if slot.machine == machine:
                    return group, slot
        raise MissingError(f"network {name!r} has no machine {machine!r}")

    # -- making and removing -------------------------------------------------------------------------------------

    def realise(self, spec: AnySpec) -> None:
        """Make it so, from whatever there is."""
        match spec:
            case specs.Network():
                # The folder tells whose network this is when no record does.
                network_folder(self.root, spec.name).mkdir(parents=True, exist_ok=True)
                network.ensure(Addresses(spec))
                self._serve_machines(spec)
            case specs.Volume():
                volumes.create(volume_file(self.root, spec.network, spec.name), spec.size_mb)
            case specs.MachineGroup():
                self._keep(spec)
            case specs.Bucket():
                self.buckets[spec.name] = Bucket(self._bucket_folder(spec))
            case specs.BucketObject():
                self._put_object(spec)
            case _:
                pass

    def adopt(self, spec: AnySpec) -> None:
        """Take over what is there after a restart; what holds data and is gone is not made anew."""
        match spec:
            case specs.Bucket():
                if self._bucket_folder(spec).is_dir():
                    self.realise(spec)
            case specs.Network() | specs.MachineGroup():
                self.realise(spec)
            case _:
                pass

    def exists(self, spec: AnySpec) -> bool:
        """Whether it is really there."""
        match spec:
            case specs.Network():
                return netns.path(Addresses(spec).router_namespace).exists()
            case specs.Volume():
                return volume_file(self.root, spec.network, spec.name).exists()
            case specs.MachineGroup():
                return all((spec.network, slot.machine) in self.keepers for slot in spec.slots)
            case specs.Bucket():
                return spec.name in self.buckets
            case specs.BucketObject():
                bucket = self.buckets.get(spec.bucket)
                return bucket is not None and any(entry.key == spec.key for entry in bucket.list(spec.key))
            case _:
                return True

    def unmake(self, spec: AnySpec) -> None:
        """Remove it with its content; what is gone already is fine."""
        match spec:
            case specs.Network():
                if api := self._apis.pop(spec.name, None):
                    api.close()
                sweep(spec.name, network_folder(self.root, spec.name))
            case specs.Volume():
                volumes.remove(volume_file(self.root, spec.network, spec.name))
            case specs.MachineGroup():
                self._let_go(spec.network, {slot.machine for slot in spec.slots})
            case specs.Bucket():
                self.buckets.pop(spec.name, None)
                shutil.rmtree(self._bucket_folder(spec), ignore_errors=True)
            case specs.BucketObject():
                if bucket := self.buckets.get(spec.bucket):
                    bucket.delete(spec.key, force=True)
            case _:
                pass

    def _bucket_folder(self, spec: specs.Bucket) -> Path:
        return network_folder(self.root, spec.network) / "buckets" / spec.name

    def _put_object(self, spec: specs.BucketObject) -> None:
        bucket = self.buckets.get(spec.bucket)
        if bucket is None:
            raise MissingError(f"no bucket {spec.bucket!r}")
        found = sha256(Path(spec.source))
        if found != spec.sha256:
            raise MissingError(f"{spec.source}: its sha256 is {found}, not {spec.sha256}: run `make tools` again")
        bucket.put_file(spec.key, Path(spec.source))

    def _serve_machines(self, spec: specs.Network) -> None:
        if old := self._apis.pop(spec.name, None):
            old.close()
        self._apis[spec.name] = MachineApi(self, spec.name)

    # -- machines ------------------------------------------------------------------------------------------------

    def _keep(self, group: MachineGroup) -> None:
        with self.lock:
            kept = {key: keeper for key, keeper in self.keepers.items() if key[0] == group.network}
        wanted = {slot.machine: slot for slot in group.slots}
        moved = {m for (_, m), k in kept.items() if m in wanted and k.place.slot != wanted[m]}
        owned = {machine for other in self.groups(group.network) for machine in (s.machine for s in other.slots)}
        self._let_go(group.network, moved | {machine for _, machine in kept if machine not in owned})
        for slot in group.slots:
            if (group.network, slot.machine) not in self.keepers:
                self._start_keeper(group.network, slot)

    def _start_keeper(self, name: str, slot: Slot) -> None:
        label = f"{name}/{slot.machine}"

        def booted(incarnation: Incarnation) -> None:
            with self.lock:
                if (before := self.state.incarnations.get(label)) is not None:
                    self.state.statuses.pop(before.id, None)
                self.state.incarnations[label] = incarnation
                self._save()

        def reported(incarnation: Incarnation, status: Status) -> None:
            with self.lock:
                self.state.statuses[incarnation.id] = status
                self._save()

        last = self.state.incarnations.get(label)

        keeper = Keeper(
            place=Place(self.addresses(name), slot, Disk(network_folder(self.root, name) / "machines" / slot.machine)),
            volume=volume_file(self.root, name, slot.volume) if slot.volume else None,
            last=last,
            hooks=Hooks(
                group=lambda: self.slot(name, slot.machine)[0],
                booted=booted,
                reported=reported,
                plugged=lambda: self._cut_again(name, slot),
                cut_off=lambda: any(cut.hits(name, slot) for cut in self.state.cuts),
            ),
        )
        keeper.status = self.state.statuses.get(last.id) if last else None
        with self.lock:
            self.keepers[name, slot.machine] = keeper
        keeper.start()

    def _let_go(self, name: str, machines: set[str]) -> None:
        with self.lock:
            leaving = [self.keepers.pop((name, m)) for m in sorted(machines) if (name, m) in self.keepers]
        threads = [threading.Thread(target=keeper.end) for keeper in leaving]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with self.lock:
            for keeper in leaving:
                gone = self.state.incarnations.pop(f"{name}/{keeper.place.slot.machine}", None)
                self.state.statuses.pop(gone.id if gone else "", None)
                if netns.path(keeper.place.addresses.router_namespace).exists():
                    network.unroute(keeper.place.addresses, keeper.place.slot)
            self._save()

    # -- cuts ----------------------------------------------------------------------------------------------------

    def cables(self, name: str, target: str) -> list[Cable]:
        """The cables of a zone or a machine of a network. Raises `UnknownTargetError`."""
        return cables(self.addresses(name), self.slots(name), target)

    def cut(self, cut: Cut) -> None:
        """Cut a zone or a machine in the kernel."""
        for cable in self.cables(cut.network, cut.target):
            for command in make(cable, cut.kind):
                run(*command)
        self._weigh(cut)

    def heal(self, cut: Cut) -> None:
        """Undo a cut in the kernel."""
        for cable in self.cables(cut.network, cut.target):
            for command in undo(cable):
                run(*command)
        self._weigh(cut)

    def _weigh(self, cut: Cut) -> None:
        for slot in self.slots(cut.network):
            keeper = self.keepers.get((cut.network, slot.machine))
            if keeper and cut.hits(cut.network, slot):
                keeper.weigh()

    def _cut_again(self, name: str, slot: Slot) -> None:
        with self.lock:
            cuts = [cut for cut in self.state.cuts if cut.network == name]
        for cut in cuts:
            if cut.target == slot.machine or (slot.edge and cut.target == slot.zone):
                for cable in self.cables(name, slot.machine):
                    for command in make(cable, cut.kind):
                        run(*command)
