"""A worker's cloud-init: what its machine needs to join with the standard `kubeadm join`, without an agent.

The machine brings containerd 2, runc, kubelet and kubeadm of the cluster's version (on PATH or in `/opt/kube-ha/bin`),
the reference CNI plugins in `/opt/cni/bin`, and nftables.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from components.node import cni, containerd, kubelet
from components.node.kubeadm import API_VERSION
from components.node.kubelet import Host

JOIN: Final = "/etc/kubernetes/join.json"
PREPARE: Final = "/usr/local/sbin/kube-ha-prepare-worker"
PREPARE_UNIT: Final = "kube-ha-prepare-worker.service"
JOIN_UNIT: Final = "kube-ha-join.service"
PATH: Final = "/opt/kube-ha/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, kw_only=True)
class Worker:
    """What a worker must know of its cluster."""

    endpoint: str
    """host:port of the API."""
    token: str = field(repr=False)
    """A bootstrap token."""
    authority_hash: str
    """Of the Kubernetes CA's public key, as kubeadm takes it: sha256:<hexadecimal>."""
    pod_cidr: str
    labels: Mapping[str, str]
    """Of its Node; those that a kubelet may give itself, such as its zone."""
    host: Host
    """What kind of machine it is."""


def render(worker: Worker) -> str:
    """A `#cloud-config`. It holds the bootstrap token: a secret for as long as that is valid."""
    files = {
        containerd.CONFIGURATION: containerd.render(worker.host, pod_network=cni.TEMPLATE),
        cni.TEMPLATE: json.dumps(cni.template(), indent=2) + "\n",
        cni.MASQUERADE: cni.masquerade(worker.pod_cidr),
        JOIN: json.dumps(join(worker), indent=2) + "\n",
        _unit(containerd.UNIT): containerd.service("/usr/bin/env containerd"),
        _unit(kubelet.UNIT): kubelet.service("/usr/bin/env kubelet"),
        _unit(PREPARE_UNIT): prepare_service(),
        _unit(JOIN_UNIT): join_service(),
    }
    units = [PREPARE_UNIT, containerd.UNIT, kubelet.UNIT, JOIN_UNIT]
    config = {
        "write_files": [
            *({"path": path, "permissions": "0600", "content": content} for path, content in files.items()),
            {"path": PREPARE, "permissions": "0755", "content": prepare(worker.host)},
        ],
        "runcmd": [
            ["systemctl", "daemon-reload"],
            ["systemctl", "enable", *units],
            ["systemctl", "start", "--no-block", JOIN_UNIT],
        ],
    }
    return "#cloud-config\n" + json.dumps(config, indent=1) + "\n"


def _unit(name: str) -> str:
    return f"/etc/systemd/system/{name}"


def join(worker: Worker) -> dict[str, Any]:
    """The JoinConfiguration of `kubeadm join`."""
    labels = ",".join(f"{name}={value}" for name, value in worker.labels.items())
    # kubeadm takes cgroup v1 for a fault of the machine; the kubelet's configuration, which it fetches, allows it.
    ignored = {"ignorePreflightErrors": ["SystemVerification"]} if worker.host.cgroup_v1 else {}
    return {
        "apiVersion": API_VERSION,
        "kind": "JoinConfiguration",
        "discovery": {
            "bootstrapToken": {
                "apiServerEndpoint": worker.endpoint,
                "token": worker.token,
                "caCertHashes": [worker.authority_hash],
            }
        },
        "nodeRegistration": {
            "criSocket": kubelet.CONTAINERD_SOCKET,
            "imagePullPolicy": "IfNotPresent",
            "kubeletExtraArgs": [{"name": "node-labels", "value": labels}],
            **ignored,
        },
    }


UNLOCK: Final = """\
# In a container what the kubelet and runc write to is read-only at first.
awk '$2 ~ "^/(sys|proc/sys)(/|$)" && $4 ~ "(^|,)ro(,|$)" { print $2 }' /proc/self/mounts |
  while read -r point; do mount -o remount,bind,rw "$point"; done
mount --make-rshared /
"""


def prepare(host: Host) -> str:
    """The script that runs before containerd at every boot: the kernel's settings and the translation of addresses."""
    return f"""\
#!/bin/sh
set -eu
{UNLOCK if host.container else ""}\
for module in overlay br_netfilter nf_tables; do modprobe --quiet "$module" || true; done
for setting in net/ipv4/ip_forward net/bridge/bridge-nf-call-iptables; do
  if [ -e "/proc/sys/$setting" ]; then echo 1 > "/proc/sys/$setting"; fi
done
nft --file {cni.MASQUERADE}
"""


def prepare_service() -> str:
    """Its unit."""
    return f"""\
[Unit]
Description=kube-ha: the kernel as a worker needs it
Before={containerd.UNIT}

[Service]
Type=oneshot
RemainAfterExit=yes
Environment=PATH={PATH}
ExecStart={PREPARE}

[Install]
RequiredBy={containerd.UNIT}
"""


def join_service() -> str:
    """The unit that joins once, and tries again while the API does not answer."""
    return f"""\
[Unit]
Description=kube-ha: kubeadm join
Requires={containerd.UNIT}
After={containerd.UNIT} network-online.target
Wants=network-online.target
ConditionPathExists=!/etc/kubernetes/kubelet.conf
StartLimitIntervalSec=0

[Service]
Type=oneshot
Environment=PATH={PATH}
ExecStart=/usr/bin/env kubeadm join --config {JOIN}
Restart=on-failure
RestartSec=5

[Install]
WantedBy=multi-user.target
"""
