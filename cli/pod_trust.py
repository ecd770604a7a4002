"""Which certificate authorities pods and workers trust.

Most programs read what is published in their namespace once, when they begin, and a kubelet keeps what it joined with.
Whoever began before a new authority was published turns away every API server that shows it, for as long as it lives:
CoreDNS did on a master that was replaced too soon, and no check of its own ended it. A step replaces every master, and
all that runs there begins anew; workers are their owner's to replace.
"""

import base64
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import yaml
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from cli import kubeconfig
from cli.engine import Engine, EngineError
from cli.kubectl import Kubectl, administrator
from cli.refused import RefusedError
from components.node.agent.nodes import CONTROL_PLANE
from toolchain.progress import step

CONFIG_MAP: Final = "kube-root-ca.crt"
"""Kubernetes' own: the controller manager that leads writes it into every namespace."""
PUBLISHER: Final = "kube-controller-manager"
SECONDS: Final = 300.0
"""How long it may take to be published: a controller manager whose machine was replaced leaves 15 s of its lease to run
out; on a single master it took 8 to 17 s (n = 5, `tests/machines/development/test_rotation.py`)."""
POLL_SECONDS: Final = 2.0

Object = Mapping[str, Any]


def settle(engine: Engine) -> None:
    """Wait until pods are told to trust what the stack trusts.

    Raises:
        EngineError: it is not published in time.
    """
    text = kubeconfig.of(engine)
    with administrator(text) as kubectl, step("what pods trust"):
        await_published(kubectl, authorities(text))


def workers_of_before(engine: Engine) -> list[str]:
    """Workers that joined before what the stack trusts was published: a kubelet keeps what it joined with."""
    with administrator(kubeconfig.of(engine)) as kubectl:
        published = min(map(published_at, listed(kubectl)))
        workers = kubectl.get("nodes", f"--selector=!{CONTROL_PLANE}")["items"]
    joined = {node["metadata"]["name"]: instant(node["metadata"]["creationTimestamp"]) for node in workers}
    return sorted(name for name, when in joined.items() if when <= published)


def await_published(kubectl: Kubectl, wanted: frozenset[bytes]) -> None:
    """Until every namespace has these authorities.

    Raises:
        EngineError: one has not after `SECONDS`.
    """
    end = time.monotonic() + SECONDS
    while True:
        try:
            found = listed(kubectl)
            without = sorted(one["metadata"]["namespace"] for one in found if fingerprints(one) != wanted)
        except RefusedError as error:
            # An API server of a master that is replaced at this moment.
            found, without = [], [str(error)]
        if found and not without:
            return
        if time.monotonic() > end:
            raise EngineError(
                f"{CONFIG_MAP} is not what the stack trusts after {SECONDS:.0f} s: {', '.join(without)}; it is written"
                " by the controller manager that leads: kubectl get lease -n kube-system kube-controller-manager"
            )
        time.sleep(POLL_SECONDS)


def listed(kubectl: Kubectl) -> list[Object]:
    """What is published, of every namespace."""
    only = f"--field-selector=metadata.name={CONFIG_MAP}"
    found: list[Object] = kubectl.get("configmaps", "--all-namespaces", only, "--show-managed-fields")["items"]
    return found


def authorities(kubeconfig: str) -> frozenset[bytes]:
    """What an administrator trusts is what the stack trusts."""
    cluster = yaml.safe_load(kubeconfig)["clusters"][0]["cluster"]
    return _fingerprints(base64.b64decode(cluster["certificate-authority-data"]))


def fingerprints(config_map: Object) -> frozenset[bytes]:
    """Of the certificates that a namespace's pods are told to trust."""
    return _fingerprints(config_map["data"]["ca.crt"].encode())


def _fingerprints(certificates: bytes) -> frozenset[bytes]:
    return frozenset(one.fingerprint(SHA256()) for one in x509.load_pem_x509_certificates(certificates))


def published_at(config_map: Object) -> datetime:
    """When it was written last, to a second; now if that is not known, so that everybody joined before."""
    writes = [
        instant(field["time"])
        for field in config_map["metadata"].get("managedFields", [])
        if field["manager"] == PUBLISHER and "time" in field
    ]
    return max(writes, default=datetime.now(UTC))


def instant(text: str) -> datetime:
    """A time as Kubernetes writes it."""
    return datetime.fromisoformat(text)
