"""kubectl with a stack's administrator's kubeconfig."""

import json
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.refused import RefusedError
from toolchain.cache import binary


@dataclass(frozen=True)
class Kubectl:
    """What it asks the cluster of `kubeconfig`, a file."""

    kubeconfig: str

    def run(self, *arguments: str) -> str:
        """What it prints. Raises `RefusedError`."""
        return run("kubectl", f"--kubeconfig={self.kubeconfig}", "--request-timeout=10s", *arguments)

    def get(self, *what: str) -> dict[str, Any]:
        """An object or a list of objects. Raises `RefusedError`."""
        answer: dict[str, Any] = json.loads(self.run("get", *what, "--output=json"))
        return answer


@contextmanager
def administrator(kubeconfig: str) -> Iterator[Kubectl]:
    """For as long as the block lasts, with this text as its kubeconfig."""
    # Only its owner reads a temporary file.
    with tempfile.NamedTemporaryFile("w", prefix="kubeconfig-") as file:
        file.write(kubeconfig)
        file.flush()
        yield Kubectl(file.name)


def run(name: str, *arguments: str) -> str:
    """What one of Kubernetes' own commands prints. Raises `RefusedError` with its complaint."""
    done = subprocess.run([Path(binary(name)), *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RefusedError(f"{name}: {done.stderr.strip()}")
    return done.stdout
