"""The pod network: the reference plugins on a bridge of each node, and routes that the cloud keeps between nodes."""

import ipaddress
from typing import Any, Final

CONFIGURATION: Final = "/etc/cni/net.d/10-kube-ha.conflist"
TEMPLATE: Final = "/etc/kube-ha/pod-network.template"
"""Not in the folder of `CONFIGURATION`, of which all is read."""
MASQUERADE: Final = "/etc/kube-ha/masquerade.nft"
BRIDGE: Final = "cni0"


class PodCidrError(ValueError):
    """A Node's pod CIDR that no pod network can be made from."""


def render(node_cidr: str, pod_cidr: str) -> dict[str, Any]:
    """The conflist of a node that has `node_cidr` of the cluster's `pod_cidr`.

    Raises:
        PodCidrError: `node_cidr` is not a part of `pod_cidr`.
    """
    node, cluster = ipaddress.ip_network(node_cidr), ipaddress.ip_network(pod_cidr)
    if node.version != cluster.version or not cluster.supernet_of(node):  # type: ignore[arg-type]
        raise PodCidrError(f"the Node's podCIDR {node_cidr} is not a part of the cluster's {pod_cidr}")
    return _conflist(str(node))


def template() -> dict[str, Any]:
    """The conflist of a node without an agent: containerd fills in the pod CIDR when the kubelet tells it."""
    return _conflist("{{.PodCIDR}}")


def _conflist(subnet: str) -> dict[str, Any]:
    return {
        "cniVersion": "1.0.0",
        "name": "kube-ha",
        "plugins": [
            {
                "type": "bridge",
                "bridge": BRIDGE,
                "isGateway": True,
                # A pod reaches itself through its own Service.
                "hairpinMode": True,
                # The plugin would hide a pod's address from pods of other nodes too: `masquerade` does not.
                "ipMasq": False,
                "ipam": {
                    "type": "host-local",
                    "ranges": [[{"subnet": subnet}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }


def masquerade(pod_cidr: str) -> str:
    """An nftables script, to be loaded as a whole: pods leave the pod network with their node's address."""
    return f"""\
table ip kube-ha
delete table ip kube-ha
table ip kube-ha {{
  chain postrouting {{
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr {pod_cidr} ip daddr != {pod_cidr} fib daddr type != local masquerade
  }}
}}
"""
