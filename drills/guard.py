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
from drills.api import Api
from drills.cluster import Cluster, UnhealthyError
from drills.drain import uncordon
from drills.injector import InjectionError
from drills.kubeconfig import load
from drills.local import LocalInjector

DONE: Final = "done"
PATIENCE: Final = 60.0
"""Seconds: what was just healed needs some to answer again."""


@contextmanager
def guarded(stack: str, kubeconfig: Path) -> Iterator[None]:
    """Have a guard for as long as the block lasts."""
    process = subprocess.Popen(
        [sys.executable, "-m", "drills.guard", stack, str(kubeconfig)],
        stdin=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield
    finally:
        process.communicate(DONE)


def main() -> None:
    """Wait for the drill's word; heal when its end of the pipe closes without it."""
    if sys.stdin.read() != DONE:
        injector, kubeconfig = LocalInjector(sys.argv[1]), Path(sys.argv[2])
        injector.heal()
        uncordon(Api(load(kubeconfig), timeout=PATIENCE))
        try:
            Alterer(Cluster(kubeconfig, injector), injector, print).undo()
        except (InjectionError, UnhealthyError) as error:
            sys.exit(f"what was altered on machines may still be so: {error}")


if __name__ == "__main__":
    main()
