"""What every command that drills has in common: a cluster that nothing is left on before, and nothing after."""

import random
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from drills import fault as faults
from drills import store
from drills.alteration import Alteration
from drills.altered import Alterer
from drills.cluster import Cluster
from drills.drain import uncordon
from drills.drill import Drill, Drilled
from drills.fault import Fault
from drills.guard import guarded
from drills.load import Declaration
from drills.local import LocalInjector


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
            FaultError, InjectionError, UnhealthyError, ApiError, DrainError: see `Drill.run` and `Alterer`.
        """
        if alteration:
            self.alterer.apply(alteration)
        folder.mkdir(parents=True, exist_ok=True)
        drilled = self.drill.run(fault, folder)
        store.save(drilled)
        return drilled

    def possible(self, wanted: Sequence[Fault]) -> Iterator[Fault]:
        """Those faults that this cluster can have; of the others it is said why not."""
        for fault in wanted:
            if why := faults.lacking(fault, self.cluster.view()):
                self.tell(f"{fault.name}: left out, it {why}")
            else:
                yield fault


@contextmanager
def campaign(
    kubeconfig: Path, stack: str, declaration: Declaration | None, tell: Callable[[str], None]
) -> Iterator[Campaign]:
    """A campaign on a stack of the local cloud; at its end, also on Ctrl-C, everything is undone.

    Raises:
        KubeconfigError, InjectionError, ApiError, UnhealthyError: there is nothing that can be drilled.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    injector = LocalInjector(stack)
    cluster = Cluster(kubeconfig, injector)
    alterer = Alterer(cluster, injector, tell)
    # What an earlier drill may have left behind would be measured as ours.
    injector.heal()
    uncordon(cluster.api)
    alterer.undo()
    drill = Drill(cluster, injector, kubeconfig, declaration, random.Random(), tell)  # noqa: S311
    with guarded(stack, kubeconfig):
        try:
            yield Campaign(cluster, alterer, drill, tell)
        finally:
            alterer.undo()
