"""What a master does once its API server answers: its Node, its pod network, and what the cluster needs once."""

import hashlib
import json
import time
from datetime import UTC, datetime
from typing import Any, Final

from components.node import addons, cloud_controller, kubeadm, kubelet
from components.node.agent import host, nodes
from components.node.agent.cloud import CloudError
from components.node.agent.files import write
from components.node.agent.kubectl import Kubectl, KubectlError, local
from components.node.agent.master_keys import PKI, secret
from components.node.agent.phases import KubeadmError, kubeadm_init
from components.node.agent.pod_network import configure
from components.node.agent.step import Context, NotYetError, Step
from components.node.lock import ClusterLock, LockedError
from components.node.machine import Machine, Role

CHECK_SECONDS: Final = 60.0
UNWELL_CHECK_SECONDS: Final = 5.0
NODE_SECONDS: Final = 5.0
"""How long one run waits for the Node before it says so."""
SUBJECT: Final = "node"
PHASES: Final = (("upload-config", "all"), ("bootstrap-token",), ("addon", "all"))


class Addons(Step):
    """Idempotent, and never by an older version than what is there."""

    name = "addons"

    def __init__(self) -> None:
        self._checked = 0.0
        self._unwell: str | None = None
        self._lock: ClusterLock | None = None

    def applies(self, machine: Machine) -> bool:
        return machine.role is Role.MASTER

    def run(self, context: Context) -> None:
        kubectl = local(context)
        try:
            node = wait_for_node(kubectl, context.machine.name)
            if nodes.of_another_machine(node, context.machine.provider_id):
                raise NotYetError(register_anew(context, kubectl))
            join_pod_network(context, node)
            mark_control_plane(context, node)
            self._install(context, kubectl)
            if context.machine.kubernetes.pod_network:
                wait_until_ready(kubectl, context.machine.name)
        except (KubectlError, KubeadmError) as error:
            # Another master's write came first, or the API server lost etcd for a moment: the same again does it.
            raise NotYetError(str(error)) from None
        self._checked = time.monotonic()

    def tick(self, context: Context) -> str | None:
        every = CHECK_SECONDS if self._unwell is None else UNWELL_CHECK_SECONDS
        if time.monotonic() - self._checked > every:
            self._checked = time.monotonic()
            kubectl = local(context)
            try:
                found = (kubectl.get("nodes") or {}).get("items", [])
                self._unwell = self._look_after(context, kubectl, found)
            except (KubectlError, KubeadmError, CloudError, NotYetError) as error:
                self._unwell = str(error)
        return self._unwell

    def _look_after(self, context: Context, kubectl: Kubectl, found: list[nodes.Node]) -> str | None:
        me = next((node for node in found if nodes.name(node) == context.machine.name), None)
        if me is None:
            # Deleted by hand, or while this machine was silent for long: a kubelet registers only when it starts.
            context.services.restart(kubelet.UNIT, wait=False)
            return "this machine's Node was missing; kubelet restarted"
        if nodes.of_another_machine(me, context.machine.provider_id):
            return register_anew(context, kubectl)
        join_pod_network(context, me)
        mark_control_plane(context, me)
        kept = [context.machine.name, *(member.name for member in context.machine.etcd.members)]
        for name in nodes.gone(found, kept, datetime.now(UTC)):
            kubectl("delete", "node", name, "--wait=false")
            context.log(self.name, f"Node {name} deleted: its machine is gone")
        # After a restore they are those of the snapshot's time, and of its stack.
        self._install(context, kubectl)
        return unready(context, me)

    def _install(self, context: Context, kubectl: Kubectl) -> None:
        """The cluster's addons, by one master at a time and unless they are there already."""
        token = secret(context, "bootstrap-token", "token")["token"]
        wanted = fingerprint(context, token)
        if not wants_install(context, kubectl, wanted):
            return
        self._lock = self._lock or lock_of(context)
        try:
            with self._lock.hold("install addons", seconds=60):
                if wants_install(context, kubectl, wanted):
                    install(context, kubectl, token, wanted)
                    context.log(self.name, f"installed for {context.machine.kubernetes.version}")
        except LockedError as error:
            raise NotYetError(str(error)) from None


def lock_of(context: Context) -> ClusterLock:
    """A lock of its own: the cluster's lock may be held by a change that waits for this very master."""
    return ClusterLock(context.cloud, f"clusters/{context.machine.uid}/addons-lock.json", context.machine.name)


def fingerprint(context: Context, token: str) -> str:
    """What the addons depend on."""
    machine, found = context.machine, host.detect(context.paths.root)
    inputs = [
        kubeadm.cluster(machine),
        kubelet.render(machine, found),
        kubeadm.proxy(machine, found),
        addons.dns_patch(machine.kubernetes),
        manifests(machine),
        hashlib.sha256(token.encode()).hexdigest(),
        # It is in cluster-info, by which workers join.
        (context.paths.root / PKI / "ca.crt").read_text(),
    ]
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


def manifests(machine: Machine) -> list[dict[str, Any]]:
    """Objects beyond kubeadm's addons."""
    return [*addons.manifests(machine.kubernetes), *cloud_controller.manifests(machine)]


def wants_install(context: Context, kubectl: Kubectl, wanted: str) -> bool:
    """Whether the addons are not there as this machine would install them, and it may."""
    marker = kubectl.get("configmap", addons.MARKER, f"--namespace={addons.NAMESPACE}")
    installed = (marker or {}).get("data", {})
    if installed.get("fingerprint") == wanted:
        return False
    if marker is not None and context.instance.template != context.instance.desired_template:
        # A master that is about to be replaced does not put back what its successors brought.
        return False
    found = (kubectl.get("nodes", f"--selector={nodes.CONTROL_PLANE}") or {}).get("items", [])
    versions = [node["status"]["nodeInfo"]["kubeletVersion"] for node in found]
    return addons.may_install(context.machine.kubernetes.version, installed.get("version"), versions)


def install(context: Context, kubectl: Kubectl, token: str, wanted: str) -> None:
    """kubeadm's uploads and addons, ours, then the mark that they are there."""
    # In memory only, and away afterwards: it holds the token.
    configuration = context.paths.run / "kubeadm-with-token.yaml"
    write(configuration, kubeadm.render(context.machine, host.detect(context.paths.root), token).encode())
    try:
        for phase in PHASES:
            kubeadm_init(context, phase, configuration)
    finally:
        configuration.unlink()
    kubectl.apply(manifests(context.machine))
    kubectl.apply([addons.marker(context.machine.kubernetes.version, wanted)])


def wait_for_node(kubectl: Kubectl, name: str) -> nodes.Node:
    """This machine's Node, with a pod CIDR. Raises `NotYetError`."""
    end = time.monotonic() + NODE_SECONDS
    while True:
        node = kubectl.get("node", name)
        if node is not None and nodes.pod_cidr(node) is not None:
            return node
        if time.monotonic() > end:
            raise NotYetError("this machine's Node has no podCIDR" if node else "this machine's Node is not there")
        time.sleep(0.5)


def register_anew(context: Context, kubectl: Kubectl) -> str:
    """Have the kubelet make this machine's Node anew, in place of that of the machine before; what was done."""
    kubectl("delete", "node", context.machine.name, "--wait=false")
    # It registers only when it starts.
    context.services.restart(kubelet.UNIT, wait=False)
    return "this machine's Node was of the machine before; deleted, kubelet restarted"


def wait_until_ready(kubectl: Kubectl, name: str) -> None:
    """Until this machine's Node is Ready. Raises `NotYetError`."""
    end = time.monotonic() + NODE_SECONDS
    while True:
        node = kubectl.get("node", name)
        if node is not None and nodes.ready(node):
            return
        if time.monotonic() > end:
            raise NotYetError(f"Node: {nodes.why_not_ready(node) if node else 'not there'}")
        time.sleep(0.5)


def unready(context: Context, node: nodes.Node) -> str | None:
    """Why this machine is not well while its Node is not Ready. Where the user's plugin makes the pod network, a Node
    without it is the user's to look after, and no reason not to serve the API."""
    context.concerns.pop(SUBJECT, None)
    if nodes.ready(node):
        return None
    words = f"Node: {nodes.why_not_ready(node)}"
    if context.machine.kubernetes.pod_network:
        return words
    context.concerns[SUBJECT] = words
    return None


def join_pod_network(context: Context, node: nodes.Node) -> None:
    """The pod network and its route, from the Node's pod CIDR; nothing before it has one."""
    if context.machine.kubernetes.pod_network and (cidr := nodes.pod_cidr(node)) is not None:
        configure(context, cidr)


def mark_control_plane(context: Context, node: nodes.Node) -> None:
    """The role's labels and taint, which a kubelet may not give itself."""
    if not nodes.is_master(node):
        kubeadm_init(context, ("mark-control-plane",))
