"""kubeadm's phases on this master, run when what they depend on changes."""

import hashlib
import json
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from components.node import audit, authentication, kubeadm
from components.node.agent.files import write
from components.node.agent.master_keys import PKI, encryption_configuration
from components.node.agent.step import Context
from components.node.kubelet import Host

LOCAL: Final = (("certs", "all"), ("kubeconfig", "all"), ("control-plane", "all"), ("kubelet-start",))
"""From keys to a running kubelet; each takes about 50 ms."""
TIMEOUT_SECONDS: Final = 120

KUBECONFIGS: Final = ("admin", "super-admin", "kubelet", "controller-manager", "scheduler")

# What kubeadm keeps as it is if it is there, and refuses when it does not fit the configuration any more.
_LEAVES: Final = (
    *(f"{PKI}/{name}.{end}" for name in ("apiserver", "apiserver-kubelet-client", "front-proxy-client")
      for end in ("crt", "key")),
    *(f"etc/kubernetes/{name}.conf" for name in KUBECONFIGS),
)  # fmt: skip


class KubeadmError(Exception):
    """A phase failed; what kubeadm said."""


def files(context: Context, host: Host) -> Mapping[str, str]:
    """Path → content of everything that kubeadm and the API server read, besides keys."""
    machine = context.machine
    return {
        kubeadm.CONFIGURATION: kubeadm.render(machine, host),
        **{f"{kubeadm.PATCHES}/{name}": json.dumps(patch) for name, patch in kubeadm.patches(machine).items()},
        kubeadm.AUTHENTICATION_FILE: json.dumps(authentication.render(machine.kubernetes.oidc)),
        kubeadm.AUDIT_FILE: json.dumps(audit.render()),
        kubeadm.ENCRYPTION_FILE: json.dumps(encryption_configuration(context)),
    }


def fingerprint(context: Context, contents: Mapping[str, str]) -> str:
    """What the phases' outcome depends on: configuration and authorities."""
    pki = context.paths.root / PKI
    authorities = {name: (pki / name).read_text() for name in ("ca.crt", "front-proxy-ca.crt", "etcd/ca.crt", "sa.pub")}
    return hashlib.sha256(json.dumps([contents, authorities], sort_keys=True).encode()).hexdigest()


def mark_of(context: Context) -> Path:
    """The file that says for which fingerprint the local phases ran."""
    return context.paths.state / "kubeadm.sha256"


def run_local(context: Context, host: Host) -> bool:
    """Write the files and run the local phases, unless they ran for the same; whether they ran.

    Raises:
        KubeadmError: a phase failed.
    """
    contents = files(context, host)
    for path, content in contents.items():
        # Only root reads them: one holds the encryption key.
        write(context.paths.root / path.lstrip("/"), content.encode())
    mark, wanted = mark_of(context), fingerprint(context, contents)
    if mark.is_file() and mark.read_text() == wanted:
        return False
    mark.unlink(missing_ok=True)
    for leaf in _LEAVES:
        (context.paths.root / leaf).unlink(missing_ok=True)
    for phase in LOCAL:
        kubeadm_init(context, phase)
        if phase[0] == "kubeconfig":
            trust_every_generation(context)
    write(mark, wanted.encode())
    return True


def trust_every_generation(context: Context) -> None:
    """In kubeconfigs too: kubeadm writes the signing authority into them alone, but they also meet masters whose
    certificate another generation signed."""
    for name in KUBECONFIGS:
        path = context.paths.root / f"etc/kubernetes/{name}.conf"
        authorities = f"--certificate-authority={context.paths.root / PKI / 'ca.crt'}"
        target = (f"--kubeconfig={path}", authorities, "--embed-certs=true")
        _run(context, "kubectl", "config", "set-cluster", context.machine.cluster, *target)


def kubeadm_init(context: Context, phase: Iterable[str], configuration: Path | None = None) -> None:
    """`kubeadm init phase …` with this machine's configuration, or another one."""
    path = configuration or context.paths.root / kubeadm.CONFIGURATION.lstrip("/")
    run_kubeadm(context, "init", "phase", *phase, f"--config={path}")


def run_kubeadm(context: Context, *arguments: str) -> None:
    """kubeadm, with its complaint in the error. Raises `KubeadmError`."""
    _run(context, "kubeadm", *arguments)


def _run(context: Context, name: str, *arguments: str) -> None:
    command = [str(context.paths.binaries / name), *arguments]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        raise KubeadmError(f"{name} {' '.join(arguments)}: no end within {TIMEOUT_SECONDS} s") from None
    if answer.returncode != 0:
        raise KubeadmError(f"{name} {' '.join(arguments)}: {answer.stderr.strip()}")
