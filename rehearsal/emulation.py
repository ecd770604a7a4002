"""The emulated cloud of a rehearsal: a process that lives as long as the rehearsal does."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def emulator(log: Path) -> Iterator[str]:
    """An emulator's URL; what it prints beside goes to `log`."""
    with (
        log.open("w") as errors,
        subprocess.Popen(
            [sys.executable, "-m", "providers.aws.emulator"], stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        try:
            url = process.stdout.readline().strip() if process.stdout else ""
            if not url:
                raise RuntimeError(f"the emulator of AWS ended at once: {log.read_text()}")
            yield url
        finally:
            process.kill()
