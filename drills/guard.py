"""The guard: a process that undoes every fault when the drill that started it is gone without having said so.

A drill undoes its faults itself, also on Ctrl-C; the guard is for a drill that is killed.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from drills.altered import Alterer
from drills.api import Api, ApiError
from drills.cluster import Cluster, UnhealthyError
from drills.drain import uncordon
from drills.injector import InjectionError
from drills.kubeconfig import load
from drills.place import Place

DONE: Final = "done"
PATIENCE: Final = 60.0
"""Seconds: what was just healed needs some to answer again."""


@contextmanager
def guarded(place: Place, kubeconfig: Path) -> Iterator[None]:
    """Have a guard for as long as the block lasts."""
    listed = [str(place.inventory)] if place.inventory else []
    process = subprocess.Popen(
        [sys.executable, "-m", "drills.guard", str(kubeconfig), place.stack, *listed],
        stdin=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield
    except InjectionError:
        # It may have been the undoing that failed: the guard tries once more.
        process.communicate()
        raise
    finally:
        if process.returncode is None:
            process.communicate(DONE)


def main() -> None:
    """Wait for the drill's word; heal when its end of the pipe closes without it."""
    if sys.stdin.read() != DONE:
        kubeconfig, stack, *listed = sys.argv[1:]
        undo(Place(stack, *map(Path, listed)), Path(kubeconfig))


def undo(place: Place, kubeconfig: Path) -> None:
    """Undo every fault and every alteration, and say what may not be undone."""
    injector = place.injector(kubeconfig)
    try:
        injector.heal()
        uncordon(Api(load(kubeconfig), timeout=PATIENCE))
    except (InjectionError, ApiError) as error:
        sys.exit(f"what a drill did to {place.stack} may still be so: {error}")
    try:
        Alterer(Cluster(kubeconfig, injector), injector, print).undo()
    except (InjectionError, UnhealthyError) as error:
        sys.exit(f"what was altered on machines may still be so: {error}")


if __name__ == "__main__":
    main()
