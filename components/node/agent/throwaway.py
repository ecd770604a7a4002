"""A control plane for a minute: a snapshot restored into an etcd of its own and an API server that may only read it.

Both listen on loopback alone, run at the lowest priority, are the first to go where memory ends, and leave nothing.
"""

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from components.node.agent.files import write
from components.node.agent.kubectl import Kubectl, KubectlError
from components.node.agent.snapshot_file import LOW_PRIORITY
from components.node.certificates import KeyPair, Request, issue

HOST: Final = "127.0.0.1"
USER: Final = "kube-ha-restore-drill"

START_SECONDS: Final = 300.0
"""About ten on a machine that has time; at the lowest priority beside a busy control plane, minutes."""

RESTORE_SECONDS: Final = 600

EXPENDABLE: Final = (*LOW_PRIORITY, "choom", "-n", "1000", "--")
"""Priority, and who is ended first when there is no memory."""


class ThrowawayError(Exception):
    """The snapshot could not be opened; says which part of it, and what that said."""


@dataclass(frozen=True)
class Kit:
    """What it is made from."""

    etcd: Path
    etcdutl: Path
    api_server: Path
    kubectl: Path
    kubernetes_ca: KeyPair
    etcd_ca: KeyPair
    service_account_public: Path
    service_account_key: Path
    encryption: Path
    """The API server's EncryptionConfiguration: what is secret in the snapshot is readable by it alone."""


@contextmanager
def opened(kit: Kit, snapshot: Path, folder: Path) -> Iterator[Kubectl]:
    """The snapshot's content, as kubectl reads it; `folder` is a scratch folder that the caller removes.

    Raises:
        ThrowawayError: it cannot be restored, or what was restored cannot be opened.
    """
    restore(kit, snapshot, folder / "data")
    keys(kit, folder)
    client, peer, api = free_ports(3)
    with ExitStack() as running:
        etcd = running.enter_context(process("etcd", etcd_command(kit, folder, client, peer), folder))
        server = running.enter_context(process("API server", api_command(kit, folder, client, api), folder))
        write(folder / "kubeconfig", json.dumps(kubeconfig(folder, api)).encode())
        kubectl = Kubectl(kit.kubectl, folder / "kubeconfig", f"https://{HOST}:{api}")
        wait(kubectl, {"etcd": etcd, "API server": server}, folder)
        yield kubectl


def restore(kit: Kit, snapshot: Path, data: Path) -> None:
    """etcd's data folder from the snapshot, checked by its own checksum; revisions stay as they are."""
    command = [*LOW_PRIORITY, str(kit.etcdutl), "snapshot", "restore", str(snapshot), "--data-dir", str(data)]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=RESTORE_SECONDS)
    except subprocess.TimeoutExpired:
        raise ThrowawayError(f"etcdutl snapshot restore did not end in {RESTORE_SECONDS} s") from None
    if answer.returncode != 0:
        raise ThrowawayError(f"etcdutl snapshot restore: {answer.stderr.strip()[-300:]}")


def keys(kit: Kit, folder: Path) -> None:
    """Certificates of the two servers and their clients, for this folder's life."""
    for name, issuer, request in (
        ("etcd", kit.etcd_ca, Request(USER, addresses=(HOST,), server=True, client=True)),
        ("api", kit.kubernetes_ca, Request(USER, addresses=(HOST,), server=True)),
        # Of no group: the API server lets `system:masters` write whatever the policy says.
        ("client", kit.kubernetes_ca, Request(USER, client=True)),
    ):
        pair = issue(issuer, request)
        write(folder / f"{name}.crt", pair.certificate)
        write(folder / f"{name}.key", pair.key)
    write(folder / "etcd-ca.crt", kit.etcd_ca.certificate)
    write(folder / "kubernetes-ca.crt", kit.kubernetes_ca.certificate)
    write(folder / "policy.jsonl", json.dumps(read_only()).encode())


def read_only() -> dict[str, object]:
    """The ABAC policy of the one user."""
    everything = {"namespace": "*", "resource": "*", "apiGroup": "*", "nonResourcePath": "*"}
    return {
        "apiVersion": "abac.authorization.kubernetes.io/v1beta1",
        "kind": "Policy",
        "spec": {"user": USER, "readonly": True, **everything},
    }


def etcd_command(kit: Kit, folder: Path, client: int, peer: int) -> list[str]:
    """A member of a cluster of one. It keeps nothing, so it need not wait for the disk that the real one needs."""
    ca, certificate, key = folder / "etcd-ca.crt", folder / "etcd.crt", folder / "etcd.key"
    return [
        str(kit.etcd),
        f"--data-dir={folder / 'data'}",
        "--unsafe-no-fsync",
        "--force-new-cluster",
        f"--listen-client-urls=https://{HOST}:{client}",
        f"--advertise-client-urls=https://{HOST}:{client}",
        f"--listen-peer-urls=https://{HOST}:{peer}",
        "--client-cert-auth", f"--trusted-ca-file={ca}", f"--cert-file={certificate}", f"--key-file={key}",
        "--peer-client-cert-auth", f"--peer-trusted-ca-file={ca}",
        f"--peer-cert-file={certificate}", f"--peer-key-file={key}",
        "--log-level=error",
    ]  # fmt: skip


def api_command(kit: Kit, folder: Path, etcd: int, port: int) -> list[str]:
    """An API server beside the live one: it tells nobody that it is there and decides nothing."""
    return [
        str(kit.api_server),
        f"--etcd-servers=https://{HOST}:{etcd}",
        f"--etcd-cafile={folder / 'etcd-ca.crt'}",
        f"--etcd-certfile={folder / 'etcd.crt'}",
        f"--etcd-keyfile={folder / 'etcd.key'}",
        f"--encryption-provider-config={kit.encryption}",
        f"--bind-address={HOST}",
        f"--secure-port={port}",
        f"--tls-cert-file={folder / 'api.crt'}",
        f"--tls-private-key-file={folder / 'api.key'}",
        f"--client-ca-file={folder / 'kubernetes-ca.crt'}",
        "--authorization-mode=ABAC",
        f"--authorization-policy-file={folder / 'policy.jsonl'}",
        "--anonymous-auth=false",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={kit.service_account_public}",
        f"--service-account-signing-key-file={kit.service_account_key}",
        "--endpoint-reconciler-type=none",
        "--watch-cache=false",
        "--profiling=false",
    ]


def kubeconfig(folder: Path, port: int) -> Mapping[str, object]:
    """How kubectl reaches it."""
    cluster = {"server": f"https://{HOST}:{port}", "certificate-authority": str(folder / "kubernetes-ca.crt")}
    user = {"client-certificate": str(folder / "client.crt"), "client-key": str(folder / "client.key")}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "drill", "cluster": cluster}],
        "users": [{"name": "drill", "user": user}],
        "contexts": [{"name": "drill", "context": {"cluster": "drill", "user": "drill"}}],
        "current-context": "drill",
    }


@contextmanager
def process(name: str, command: list[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that ends with the context, its output in the folder."""
    with (folder / f"{name}.log").open("wb") as log:
        started = subprocess.Popen(
            [*EXPENDABLE, *command], stdout=log, stderr=log, cwd=folder, env={**os.environ, "GOMAXPROCS": "1"}
        )
    try:
        yield started
    finally:
        started.kill()
        started.wait()


def wait(kubectl: Kubectl, processes: Mapping[str, subprocess.Popen[bytes]], folder: Path) -> None:
    """Until it reads from etcd."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            kubectl("get", "--raw=/api/v1/namespaces?limit=1")
            return
        except KubectlError as error:
            reason = str(error)
        for name, one in processes.items():
            if one.poll() is not None:
                raise ThrowawayError(f"{name} ended with {one.returncode}: {last_words(folder / f'{name}.log')}")
        if time.monotonic() > deadline:
            raise ThrowawayError(f"no answer within {START_SECONDS:.0f} s: {reason}")
        time.sleep(1)


def last_words(log: Path) -> str:
    """The end of what a process said."""
    return log.read_text(errors="replace")[-500:].strip()


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens on now."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.create_server((HOST, 0))) for _ in range(count)]
        return [one.getsockname()[1] for one in sockets]
