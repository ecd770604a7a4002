"""kubectl as the agent uses it: against this machine's own API server, which works while the balancer does not."""

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from components.node.agent.step import Context
from components.node.health import API_PORT

KUBECONFIG: Final = "etc/kubernetes/super-admin.conf"
TIMEOUT_SECONDS: Final = 30


class KubectlError(Exception):
    """The API server refused or did not answer; what kubectl said."""


class Kubectl:
    """Calls kubectl with this kubeconfig and server."""

    def __init__(self, binary: Path, kubeconfig: Path, server: str, timeout_seconds: int = 20) -> None:
        timeout = f"--request-timeout={timeout_seconds}s"
        self._command = [str(binary), f"--kubeconfig={kubeconfig}", f"--server={server}", timeout]

    def __call__(self, *arguments: str, stdin: str | None = None) -> str:
        """Standard output. Raises `KubectlError`."""
        try:
            answer = subprocess.run(
                [*self._command, *arguments],
                input=stdin, capture_output=True, text=True, check=False, timeout=TIMEOUT_SECONDS,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise KubectlError(f"kubectl {arguments[0]}: no answer within {TIMEOUT_SECONDS} s") from None
        if answer.returncode != 0:
            raise KubectlError(f"kubectl {' '.join(arguments[:3])}: {answer.stderr.strip()}")
        return answer.stdout

    def get(self, *arguments: str) -> dict[str, Any] | None:
        """An object or a list; None where it does not exist."""
        text = self("get", "--output=json", "--ignore-not-found", *arguments)
        return json.loads(text) if text.strip() else None

    def apply(self, objects: Iterable[dict[str, Any]]) -> None:
        """Server-side apply: what others set on the objects stays."""
        items = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self(
            "apply", "--server-side", "--force-conflicts", "--field-manager=kube-ha", "--filename=-",
            stdin=json.dumps(items),
        )  # fmt: skip


def local(context: Context) -> Kubectl:
    """kubectl for this machine's own API server."""
    server = f"https://{context.machine.address}:{API_PORT}"
    return Kubectl(context.paths.binaries / "kubectl", context.paths.root / KUBECONFIG, server)


def others(context: Context) -> Kubectl:
    """kubectl for whichever API servers the cluster's endpoint leads to; gives up soon."""
    server = f"https://{context.machine.kubernetes.endpoint}"
    return Kubectl(context.paths.binaries / "kubectl", context.paths.root / KUBECONFIG, server, timeout_seconds=1)
