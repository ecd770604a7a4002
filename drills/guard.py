"""The guard: a process that undoes every fault when the drill that started it is gone without having said so.

A drill undoes its faults itself, also on Ctrl-C; the guard is for a drill that is killed.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from drills.api import Api
from drills.drain import uncordon
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
        LocalInjector(sys.argv[1]).heal()
        uncordon(Api(load(Path(sys.argv[2])), timeout=PATIENCE))


if __name__ == "__main__":
    main()
