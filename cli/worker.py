"""`make worker`: the cloud-init of a machine that joins a stack's cluster as a worker."""

import base64
import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import yaml
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cli import deletion
from cli.engine import Engine, EngineError
from cli.refused import RefusedError
from components.node import worker
from components.node.agent import host
from components.node.agent.nodes import CONTROL_PLANE
from components.node.kubelet import Host
from toolchain.cache import binary

REGION: Final = "topology.kubernetes.io/region"
ZONE: Final = "topology.kubernetes.io/zone"


def show(engine: Engine, zone: str) -> int:
    """Print it; the exit status."""
    sys.stdout.write(user_data(engine, zone))
    return 0


def user_data(engine: Engine, zone: str) -> str:
    """The `#cloud-config` of a worker in `zone`, with a bootstrap token of its own that is valid for a day.

    Raises:
        EngineError: the stack is not up.
        RefusedError: it has no such zone, or its API does not answer.
    """
    engine.select()
    outputs = engine.outputs()
    if "kubeconfig" not in outputs:
        raise EngineError(f"stack {engine.stack} is not up: make up STACK={engine.stack}")
    # Only its owner reads a temporary file.
    with tempfile.NamedTemporaryFile("w", prefix="kubeconfig-") as kubeconfig:
        kubeconfig.write(outputs["kubeconfig"])
        kubeconfig.flush()
        labels = labels_of(zone, _kubectl(kubeconfig.name, "get", "nodes", f"--selector={CONTROL_PLANE}"))
        uploaded = _kubectl(kubeconfig.name, "get", "configmap", "kubeadm-config", "--namespace=kube-system")
        # Its own default is a day.
        token = _run(
            "kubeadm", "token", "create", f"--description=a worker in {zone}", f"--kubeconfig={kubeconfig.name}"
        )
    found = yaml.safe_load(outputs["kubeconfig"])["clusters"][0]["cluster"]
    cluster = yaml.safe_load(uploaded["data"]["ClusterConfiguration"])
    return worker.render(
        worker.Worker(
            endpoint=found["server"].removeprefix("https://"),
            token=token.strip(),
            authority_hash=authority_hash(base64.b64decode(found["certificate-authority-data"])),
            pod_cidr=cluster["networking"]["podSubnet"],
            labels=labels,
            host=machine(local=deletion.is_local(engine.resources())),
        )
    )


def labels_of(zone: str, masters: dict[str, Any]) -> dict[str, str]:
    """A Node's labels in `zone`: as the masters have them.

    Raises:
        RefusedError: no master is there.
    """
    regions = {node["metadata"]["labels"][ZONE]: node["metadata"]["labels"][REGION] for node in masters["items"]}
    if zone not in regions:
        raise RefusedError(f"{zone!r} is no zone of the stack; its zones: {', '.join(sorted(regions))}")
    return {REGION: regions[zone], ZONE: zone}


def authority_hash(certificate: bytes) -> str:
    """What kubeadm pins a certificate authority by: the sha256 of its public key."""
    key = x509.load_pem_x509_certificate(certificate).public_key()
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"sha256:{hashlib.sha256(der).hexdigest()}"


def machine(*, local: bool) -> Host:
    """What kind of machine it will be: a local one is a container of this one."""
    if not local:
        return Host(container=False, cgroup_v1=False, swap=False)
    return Host(container=True, cgroup_v1=host.detect().cgroup_v1, swap=False)


def _kubectl(kubeconfig: str, *arguments: str) -> dict[str, Any]:
    command = ("kubectl", f"--kubeconfig={kubeconfig}", "--request-timeout=10s", *arguments, "--output=json")
    answer: dict[str, Any] = json.loads(_run(*command))
    return answer


def _run(name: str, *arguments: str) -> str:
    done = subprocess.run([Path(binary(name)), *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RefusedError(f"{name}: {done.stderr.strip()}")
    return done.stdout
