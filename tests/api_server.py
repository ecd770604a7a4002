"""A real API server on a real etcd, on loopback, that authorises by RBAC as a cluster's does."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from components.node.agent.kubectl import Kubectl, KubectlError
from components.node.agent.throwaway import free_ports
from components.node.certificates import Request, authority, issue
from tests.agent.authorities import authority_secret
from tests.agent.processes import eventually
from toolchain import cache

HOST: Final = "127.0.0.1"


@dataclass(frozen=True)
class ApiServer:
    """One that answers."""

    folder: Path
    url: str
    kubectl: Kubectl
    """As its administrator."""

    def kubeconfig(self, user: Mapping[str, str]) -> Path:
        """For somebody else."""
        path = self.folder / "user.kubeconfig"
        path.write_text(json.dumps(kubeconfig(self.folder, self.url, user)))
        return path


@contextmanager
def running(folder: Path) -> Iterator[ApiServer]:
    """Ends with the context, and its etcd with it."""
    client, peer, port = free_ports(3)
    url = f"https://{HOST}:{port}"
    keys(folder)
    with ExitStack() as processes:
        processes.enter_context(process("etcd", etcd(folder, client, peer), folder))
        server = processes.enter_context(process("api", api(folder, client, port), folder))
        administrator = {"client-certificate": str(folder / "admin.crt"), "client-key": str(folder / "admin.key")}
        (folder / "kubeconfig").write_text(json.dumps(kubeconfig(folder, url, administrator)))
        kubectl = Kubectl(cache.binary("kubectl"), folder / "kubeconfig", url)
        eventually(lambda: answers(server, kubectl), 120, f"the API server answers; see {folder / 'api.log'}")
        yield ApiServer(folder, url, kubectl)


def answers(server: subprocess.Popen[bytes], kubectl: Kubectl) -> bool:
    """Whether it is ready and has what it makes itself at its first start."""
    assert server.poll() is None, "the API server ended"
    try:
        kubectl("get", "--raw=/readyz")
        return kubectl.get("namespace", "kube-system") is not None
    except KubectlError:
        return False


def keys(folder: Path) -> None:
    """Certificates and the key of service accounts."""
    issuer = authority(authority_secret("kubernetes"), "kubernetes-ca")
    (folder / "ca.crt").write_bytes(issuer.certificate)
    for name, request in {
        "api": Request("kube-apiserver", addresses=(HOST,), server=True),
        "admin": Request("admin", organization="system:masters", client=True),
    }.items():
        pair = issue(issuer, request)
        (folder / f"{name}.crt").write_bytes(pair.certificate)
        (folder / f"{name}.key").write_bytes(pair.key)
    key = ec.generate_private_key(ec.SECP256R1())
    traditional, open_to_all = serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, traditional, open_to_all)
    (folder / "accounts.key").write_bytes(private)


def etcd(folder: Path, client: int, peer: int) -> list[str]:
    """A member of a cluster of one that keeps nothing."""
    clients, peers = f"http://{HOST}:{client}", f"http://{HOST}:{peer}"
    return [
        str(cache.binary("etcd")), "--unsafe-no-fsync", "--log-level=error", f"--data-dir={folder / 'data'}",
        f"--listen-client-urls={clients}", f"--advertise-client-urls={clients}", f"--listen-peer-urls={peers}",
        f"--initial-advertise-peer-urls={peers}", f"--initial-cluster=default={peers}",
    ]  # fmt: skip


def api(folder: Path, client: int, port: int) -> list[str]:
    """With the rules that a cluster's own has."""
    return [
        str(cache.binary("kube-apiserver")), f"--etcd-servers=http://{HOST}:{client}",
        f"--bind-address={HOST}", f"--secure-port={port}", "--endpoint-reconciler-type=none",
        f"--tls-cert-file={folder / 'api.crt'}", f"--tls-private-key-file={folder / 'api.key'}",
        f"--client-ca-file={folder / 'ca.crt'}", "--authorization-mode=RBAC",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={folder / 'accounts.key'}",
        f"--service-account-signing-key-file={folder / 'accounts.key'}",
    ]  # fmt: skip


def kubeconfig(folder: Path, url: str, user: Mapping[str, str]) -> dict[str, object]:
    """How somebody reaches it."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": url, "certificate-authority": str(folder / "ca.crt")}}],
        "users": [{"name": "u", "user": dict(user)}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "c",
    }


@contextmanager
def process(name: str, command: list[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Ends with the context; what it says is in the folder."""
    with (folder / f"{name}.log").open("wb") as log:
        started = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env={**os.environ, "GOMAXPROCS": "2"})
    try:
        yield started
    finally:
        started.kill()
        started.wait()
