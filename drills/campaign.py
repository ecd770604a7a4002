"""What every command that drills has in common: a cluster that nothing is left on before, and nothing after."""

import random
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from drills import fault as faults
from drills import schedule, store
from drills.alteration import Alteration
from drills.altered import Alterer
from drills.api import ApiError
from drills.child import ChildError
from drills.cluster import Cluster, UnhealthyError, UnreadyError
from drills.drain import DrainError, uncordon
from drills.drill import Drill, Drilled
from drills.fault import Fault, FaultError, Inject, View
from drills.guard import guarded
from drills.injector import InjectionError
from drills.judge import is_void
from drills.load import Declaration
from drills.place import Place


@dataclass(frozen=True)
class Campaign:
    """A cluster that may be drilled."""

    cluster: Cluster
    alterer: Alterer
    drill: Drill
    tell: Callable[[str], None]

    def run(self, fault: Fault, folder: Path, *, alteration: Alteration | None = None) -> Drilled:
        """Drill a fault once, on a cluster with the alteration; what came of it is in `folder`.

        Raises:
            FaultError, InjectionError, UnhealthyError, ApiError, DrainError, ChildError: see `Drill.run` and `Alterer`.
        """
        if alteration:
            self.alterer.apply(alteration)
        drilled = self.drill.run(fault, folder)
        store.save(drilled)
        return drilled

    def repeat(self, wanted: Sequence[Fault], times: int, output: Path) -> list[str]:
        """Drill until each fault has so many runs in `output` under these conditions, the fewest first.

        Runs of earlier campaigns count. One that breaks off is said and done again later. The faults that were given
        up with fewer runs are returned by name.

        Raises:
            StoreError: `output` cannot be read or written.
            UnhealthyError, InjectionError: the cluster is not whole, and does not become so, or may not be written to.
        """
        possible = {one.name: one for one in self.possible(wanted)}
        sound: Counter[str] = Counter()
        for drilled, runs in store.load(output).items():
            if drilled in possible:
                now = self.drill.conditions(possible[drilled])
                sound[drilled] = sum(one.conditions == now and not is_void(one.run) for one in runs)
        wasted: Counter[str] = Counter()
        while name := schedule.due(list(possible), sound, wasted, times):
            self.refresh()
            self.tell(f"{name} {sound[name] + 1}/{times}: {possible[name].title}")
            counts = sound if self._sound(possible[name], store.folder(output, name)) else wasted
            counts[name] += 1
        return [name for name in possible if sound[name] < times]

    def insist(self, wanted: Sequence[Fault]) -> None:
        """Have this cluster be one that can have all of these faults.

        Raises:
            FaultError: it cannot have one of them.
        """
        view = self.cluster.view()
        for fault in wanted:
            if why := self._lacking(fault, view):
                raise FaultError(f"{fault.name}: cannot be drilled here, it {why}.")

    def _sound(self, fault: Fault, folder: Path) -> bool:
        """Whether a run came to its end and says something."""
        try:
            drilled = self.run(fault, folder)
        except UnreadyError:
            # The next fault would find the same.
            raise
        except (FaultError, InjectionError, UnhealthyError, ApiError, DrainError, ChildError) as error:
            self.tell(f"{fault.name}: broken off: {error}")
            # It may have been the undoing that failed.
            self.drill.injector.heal()
            return False
        return not is_void(drilled.run)

    def refresh(self) -> None:
        """Have a cluster that no earlier drill is felt on.

        kubelet waits longer before each restart of a container, and forgets after ten minutes. A cluster that is hit
        once has none of what many drills in a row make of that, so a machine that has is replaced, in order.

        Raises:
            UnhealthyError, InjectionError: see `repeat`.
        """
        for name in self.cluster.worn():
            self.tell(f"replacing {name}, whose containers were restarted too often")
            self.drill.replace(name)

    def possible(self, wanted: Sequence[Fault]) -> Iterator[Fault]:
        """Those faults that this cluster can have; of the others it is said why not."""
        view = self.cluster.view()
        for fault in wanted:
            if why := self._lacking(fault, view):
                self.tell(f"{fault.name}: left out, it {why}")
            else:
                yield fault

    def _lacking(self, fault: Fault, view: View) -> str | None:
        """Why this cluster, or the way in which it is harmed, cannot have a fault; None when it can."""
        unable = (self.drill.injector.unable(step) for step in fault.steps if isinstance(step, Inject))
        return faults.lacking(fault, view) or next((why for why in unable if why), None)


@contextmanager
def campaign(
    kubeconfig: Path, place: Place, declaration: Declaration | None, tell: Callable[[str], None]
) -> Iterator[Campaign]:
    """A campaign on a cluster; at its end, also on Ctrl-C, everything is undone.

    Raises:
        KubeconfigError, InventoryError, InjectionError, ApiError, UnhealthyError: there is nothing that can be drilled.
    """
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, _ended)
    injector = place.injector(kubeconfig)
    cluster = Cluster(kubeconfig, injector)
    alterer = Alterer(cluster, injector, tell)
    # What an earlier drill may have left behind would be measured as ours.
    injector.heal()
    uncordon(cluster.api)
    alterer.undo()
    drill = Drill(place.stack, cluster, injector, kubeconfig, declaration, random.Random(), tell)  # noqa: S311
    with guarded(place, kubeconfig):
        try:
            yield Campaign(cluster, alterer, drill, tell)
        finally:
            alterer.undo()


def _ended(number: int, _: object) -> None:
    """Once is enough: whoever is impatient must not interrupt the undoing as well."""
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, signal.SIG_IGN)
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    sys.exit(128 + number)
