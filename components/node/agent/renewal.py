"""kubeadm's certificates on this master, renewed long before they end, without taking the master down."""

import time
from pathlib import Path
from typing import Final

from components.node import kubelet
from components.node.agent.master_keys import PKI, keep_etcd_client
from components.node.agent.phases import kubeadm_init, run_kubeadm, trust_every_generation
from components.node.agent.static_pods import ELECTED, terminate
from components.node.agent.step import Context
from components.node.certificates import renewal_time

CHECK_SECONDS: Final = 3600.0
RESTART_SECONDS: Final = 60.0
"""Between two components that restart: the first has its lease back by then."""

LEAVES: Final = ("apiserver", "apiserver-kubelet-client", "front-proxy-client")


class Renewal:
    """Called at every tick; does something once an hour."""

    def __init__(self) -> None:
        self._checked = time.monotonic()
        self._restarted = 0.0
        self._pending: list[str] = []

    def tick(self, context: Context) -> None:
        """Renew what is due; restart one component at a time."""
        now = time.monotonic()
        if self._pending and now - self._restarted > RESTART_SECONDS:
            terminate(self._pending.pop(0))
            self._restarted = now
        if now - self._checked < CHECK_SECONDS:
            return
        self._checked = now
        if keep_etcd_client(context):
            context.log("kubernetes", "certificate of the API server for etcd renewed")
        if due(context.paths.root / PKI):
            run_kubeadm(context, "certs", "renew", "all")
            trust_every_generation(context)
            # The API server reads its files again by itself; these have their certificate inside their kubeconfig.
            self._pending = list(ELECTED)
            context.log("kubernetes", "kubeadm's certificates renewed")
        self._rotate_kubelet(context)

    @staticmethod
    def _rotate_kubelet(context: Context) -> None:
        # From then on the kubelet renews its own. Not at the start: it restarts the kubelet.
        configuration = context.paths.root / "etc/kubernetes/kubelet.conf"
        rotated = context.paths.root / "var/lib/kubelet/pki/kubelet-client-current.pem"
        if rotated.exists() and rotated.name not in configuration.read_text():
            kubeadm_init(context, ("kubelet-finalize", "all"))
            context.log("kubernetes", f"{kubelet.UNIT} rotates its certificate from now on")


def due(pki: Path) -> bool:
    """Whether one of kubeadm's leaf certificates is past two thirds of its life. All are renewed together."""
    return any(renewal_time((pki / f"{leaf}.crt").read_bytes()).timestamp() < time.time() for leaf in LEAVES)
