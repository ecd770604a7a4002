"""How the parts of this master are, each asked where it says so itself."""

import http.client
import ssl
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from components.node import containerd, kubelet
from components.node.agent.master_keys import PKI
from components.node.agent.static_pods import MANIFESTS
from components.node.agent.step import Context
from components.node.health import API_PORT
from components.node.remedies import Part

KUBELET_PORT: Final = 10248
PORTS: Final = {Part.CONTROLLER_MANAGER: 10257, Part.SCHEDULER: 10259}
"""Their own defaults, on loopback, as kubeadm leaves them."""

TIMEOUT_SECONDS: Final = 5.0

LIVE: Final = "/livez?exclude=etcd"
"""A lost quorum is not this process's fault."""


def examine(context: Context) -> Mapping[Part, str | None]:
    """What is wrong with each part, in words, and None where nothing is. Parts that are not to run now are left out:
    while a master is restored or leaves, its manifests are gone."""
    checks: dict[Part, Callable[[], str | None]] = {}
    if context.services.active(kubelet.UNIT):
        checks[Part.KUBELET] = lambda: _asked(http.client.HTTPConnection("127.0.0.1", KUBELET_PORT, TIMEOUT_SECONDS))
    if context.services.active(containerd.UNIT):
        checks[Part.CONTAINERD] = lambda: _containerd(context)
    address = context.machine.address
    trusting = ssl.create_default_context(cafile=str(context.paths.root / PKI / "ca.crt")) if _keys(context) else None
    if trusting and _wanted(context, Part.API_SERVER):
        checks[Part.API_SERVER] = lambda: _asked(
            http.client.HTTPSConnection(address, API_PORT, timeout=TIMEOUT_SECONDS, context=trusting), LIVE
        )
    for part, port in PORTS.items():
        if _wanted(context, part):
            checks[part] = lambda port=port: _asked(_loopback(port))  # type: ignore[misc]
    return {part: check() for part, check in checks.items()}


def _keys(context: Context) -> bool:
    return (context.paths.root / PKI / "ca.crt").is_file()


def _wanted(context: Context, part: Part) -> bool:
    return (context.paths.root / MANIFESTS / f"{part}.yaml").is_file()


def _loopback(port: int) -> http.client.HTTPSConnection:
    # They make their own certificates, which nobody signed; nobody else listens on this machine's loopback.
    unverified = ssl.create_default_context()
    unverified.check_hostname = False
    unverified.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS, context=unverified)


def _asked(connection: http.client.HTTPConnection, path: str = "/healthz") -> str | None:
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read(1000).decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return f"{path}: {type(error).__name__}: {error}"
    finally:
        connection.close()
    return None if answer.status == http.client.OK else f"{path}: HTTP {answer.status}: {' '.join(body.split())}"


def _containerd(context: Context) -> str | None:
    command = [str(Path(context.paths.binaries) / "ctr"), f"--timeout={TIMEOUT_SECONDS:.0f}s", "version"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=2 * TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        return "its socket does not answer"
    return None if done.returncode == 0 else " ".join(done.stderr.split())
