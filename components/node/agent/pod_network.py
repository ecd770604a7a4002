"""The pod network on this machine: plugins configured, addresses translated, and the cloud's route to it."""

import json
import subprocess

from components.node import cni
from components.node.agent import nodes
from components.node.agent.files import write
from components.node.agent.kubectl import KubectlError, others
from components.node.agent.step import Context


class PodNetworkError(Exception):
    """A command that makes the pod network failed."""


def configure(context: Context, node_cidr: str) -> None:
    """Make pods of this node reachable with addresses of `node_cidr`."""
    pod_cidr = context.machine.kubernetes.pod_cidr
    rules = context.paths.root / cni.MASQUERADE.lstrip("/")
    write(rules, cni.masquerade(pod_cidr).encode(), mode=0o644)
    _run("nft", "--file", str(rules))
    conflist = context.paths.root / cni.CONFIGURATION.lstrip("/")
    existed = conflist.is_file()
    changed = write(conflist, json.dumps(cni.render(node_cidr, pod_cidr), indent=2).encode(), mode=0o644)
    if changed and existed:
        # The bridge keeps its old address beside the new one, and pods would be told either as their gateway.
        subprocess.run(["ip", "link", "delete", cni.BRIDGE], check=False, capture_output=True)
    context.cloud.route(node_cidr)


def resume(context: Context) -> None:
    """Configure it before this machine's API server is up, if the machine replaces one that had a Node.

    The kubelet looks for a pod network every 5 s only: its Node is Ready that much sooner.
    """
    if not context.machine.kubernetes.pod_network or (context.paths.root / cni.CONFIGURATION.lstrip("/")).is_file():
        return
    try:
        node = others(context).get("node", context.machine.name)
    except KubectlError:
        # The first master of a cluster has nobody to ask; the step `addons` waits for its Node.
        return
    if node is None or nodes.of_another_machine(node, context.machine.provider_id):
        return
    if (cidr := nodes.pod_cidr(node)) is not None:
        configure(context, cidr)


def _run(*command: str) -> None:
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    if answer.returncode != 0:
        raise PodNetworkError(f"{' '.join(command)}: {answer.stderr.strip()}")
