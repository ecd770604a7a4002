"""`make worker`: the cloud-init of a machine that joins a stack's cluster as a worker."""

import base64
import hashlib
import sys
from collections.abc import Sequence
from typing import Any, Final

import yaml
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cli import deletion, kubeconfig
from cli.deletion import Resource
from cli.engine import Engine
from cli.kubectl import administrator, run
from cli.refused import RefusedError
from components.clouds import Management
from components.node import worker
from components.node.agent import host
from components.node.agent.nodes import CONTROL_PLANE
from components.node.kubelet import Host
from components.node.machine import Artifact
from toolchain import versions
from toolchain.image import catalogue

REGION: Final = "topology.kubernetes.io/region"
ZONE: Final = "topology.kubernetes.io/zone"
SECRET: Final = ("aws:secretsmanager/secret:Secret", f"-{worker.SECRET}")
PROFILE: Final = ("aws:iam/instanceProfile:InstanceProfile", "-worker")
BUCKET: Final = ("aws:s3/bucket:Bucket", "")
"""What a worker on AWS joins with: type, and how the name ends."""
OBJECT: Final = "aws:s3/bucketObjectv2:BucketObjectv2"
BINARIES: Final = {
    **{
        name: f"{catalogue.BINARIES}/{name}"
        for tool in ("containerd", "kubeadm", "kubelet", "runc")
        for name in versions.tool(tool).binaries
    },
    **{f"cni-{name}": f"{catalogue.CNI_PLUGINS}/{name}" for name in versions.tool("cni-plugins").binaries},
}
"""Artifact → where a worker has it."""


def show(engine: Engine, zone: str) -> int:
    """Print it; the exit status."""
    sys.stdout.write(user_data(engine, zone))
    return 0


def user_data(engine: Engine, zone: str) -> str:
    """The `#cloud-config` of a worker in `zone`.

    On this machine it holds a bootstrap token of its own that is valid for a day; elsewhere the worker reads one.

    Raises:
        EngineError: the stack is not up.
        RefusedError: it has no such zone, its API does not answer, or its cloud makes the workers.
    """
    administrators = kubeconfig.of(engine)
    resources = engine.resources()
    declared = declaration_of(resources)
    if declared.get("controlPlane") == Management.MANAGED:
        raise RefusedError(f"stack {engine.stack} is managed: its workers are its nodes, see kube-ha:nodes")
    with administrator(administrators) as kubectl:
        labels = labels_of(zone, kubectl.get("nodes", f"--selector={CONTROL_PLANE}"))
        uploaded = kubectl.get("configmap", "kubeadm-config", "--namespace=kube-system")
        local = deletion.is_local(resources)
        token = token_for(zone, kubectl.kubeconfig) if local else ""
    found = yaml.safe_load(administrators)["clusters"][0]["cluster"]
    cluster = yaml.safe_load(uploaded["data"]["ClusterConfiguration"])
    text = worker.render(
        worker.Worker(
            endpoint=found["server"].removeprefix("https://"),
            token=token,
            cloud=declared["cloud"],
            secret="" if local else made(resources, SECRET, "name"),
            authority_hash=authority_hash(base64.b64decode(found["certificate-authority-data"])),
            bucket="" if local else made(resources, BUCKET, "bucket"),
            files=() if local else uploaded_for_workers(resources),
            pod_cidr=cluster["networking"]["podSubnet"] if declared.get("networkPlugin") != "none" else None,
            labels=labels,
            host=machine(local=local),
        )
    )
    return text if local else text.replace("\n", f"\n# instance profile: {made(resources, PROFILE, 'name')}\n", 1)


def token_for(zone: str, kubeconfig: str) -> str:
    """A new one, that is valid for kubeadm's own default: a day."""
    return run("kubeadm", "token", "create", f"--description=a worker in {zone}", f"--kubeconfig={kubeconfig}").strip()


def declaration_of(resources: Sequence[Resource]) -> dict[str, Any]:
    """What the control plane declares of itself."""
    found = next(one for one in resources if one["type"].endswith(":ControlPlane"))
    return dict(found["inputs"])


def uploaded_for_workers(resources: Sequence[Resource]) -> tuple[Artifact, ...]:
    """What its image lacks, of the files that the stack put into its bucket for the masters: keys name the sha256."""
    keys = [str(one["outputs"]["key"]) for one in resources if one["type"] == OBJECT]
    found = [key.split("/") for key in keys if key.startswith("artifacts/")]
    return tuple(
        Artifact(name=name, key=f"artifacts/{sha256}/{name}", sha256=sha256, path=BINARIES[name], executable=True)
        for _, sha256, name in sorted(found, key=lambda parts: parts[2])
        if name in BINARIES
    )


def made(resources: Sequence[Resource], what: tuple[str, str], output: str) -> str:
    """An output of a resource that the stack made for its workers.

    Raises:
        RefusedError: it has none.
    """
    kind, suffix = what
    outputs = [one["outputs"] for one in resources if one["type"] == kind and one["urn"].endswith(suffix)]
    if not outputs:
        raise RefusedError(f"the stack has no {kind} for workers: bring it up with this version of the program first")
    return str(outputs[0][output])


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
