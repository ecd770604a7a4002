"""A master: from its keys to an API server that is ready, by kubeadm's phases."""

import time
from pathlib import Path
from typing import Final

from components.node import containerd, kubelet, shutdown
from components.node.agent import host, images, phases, pod_network, static_pods
from components.node.agent.api_server import not_ready
from components.node.agent.files import write
from components.node.agent.master_keys import PKI, keep_etcd_client, write_authorities
from components.node.agent.renewal import Renewal
from components.node.agent.standalone import command
from components.node.agent.step import Context, NotYetError, Step
from components.node.kubelet import Host
from components.node.machine import Machine, Role

READY_SECONDS: Final = 5.0
"""How long one run waits for the API server before it says so; the loop runs it again."""


class Kubernetes(Step):
    """Containerd, kubelet and the control plane's static pods."""

    name = "kubernetes"

    def __init__(self) -> None:
        self._renewal = Renewal()

    def applies(self, machine: Machine) -> bool:
        return machine.role is Role.MASTER

    def run(self, context: Context) -> None:
        found = host.detect(context.paths.root)
        start_containerd(context, found)
        write_authorities(context)
        keep_etcd_client(context)
        images.import_missing(context)
        context.services.install(kubelet.UNIT, kubelet.service())
        if phases.run_local(context, found):
            context.log(self.name, f"control plane {context.machine.kubernetes.version} set up by kubeadm")
        context.services.start(kubelet.UNIT, wait=False)
        if shutdown.applies(context.machine):
            longest = shutdown.longest_seconds(context.machine.cloud)
            context.services.install(shutdown.UNIT, shutdown.service(context.machine, command("shutdown", longest)))
            context.services.start(shutdown.UNIT, wait=False)
        pod_network.resume(context)
        self._wait(context)

    def tick(self, context: Context) -> str | None:
        self._renewal.tick(context)
        reason = not_ready(context.machine.address, authority(context))
        return None if reason is None else f"API server: {reason}"

    def leave(self, context: Context) -> None:
        # Should the machine live on after all, the next run writes the manifests again.
        phases.mark_of(context).unlink(missing_ok=True)
        static_pods.stop(context.paths.root / static_pods.MANIFESTS, context.machine.cloud)
        context.log(self.name, "API server drained and ended")

    def _wait(self, context: Context) -> None:
        end = time.monotonic() + READY_SECONDS
        while (reason := not_ready(context.machine.address, authority(context))) is not None:
            if time.monotonic() > end:
                raise NotYetError(f"API server of this master: {reason}")
            time.sleep(0.1)


def authority(context: Context) -> Path:
    """Certificate of the Kubernetes CA on this machine."""
    return context.paths.root / PKI / "ca.crt"


def start_containerd(context: Context, found: Host) -> None:
    """containerd as this machine needs it, running."""
    configuration = context.paths.root / containerd.CONFIGURATION.lstrip("/")
    changed = write(configuration, containerd.render(found).encode(), mode=0o644)
    changed = context.services.install(containerd.UNIT, containerd.service()) or changed
    if changed and context.services.active(containerd.UNIT):
        context.services.restart(containerd.UNIT)
    context.services.start(containerd.UNIT, wait=bool(images.archives(context)))
