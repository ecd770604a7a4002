"""A worker machine, as anybody would add one: containerd, kubelet and the standard `kubeadm join`."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Network
from typing import Final

from components.node import cni, containerd, kubelet
from components.node.kubelet import Host
from providers.local.client import Client
from tests.machines.stack import Stack

NAME: Final = "worker-1"
ZONE: Final = "zone-a"
POD_CIDR: Final = "10.244.0.0/16"
PLACEHOLDER: Final = "10.244.255.0/24"
"""Stands for the Node's own part of the pod network, which is known once it has joined."""

JOIN: Final = f"""\
#!/bin/sh -ex
export PATH=/opt/kube-ha/bin:$PATH
# A container's kernel settings and cgroups are read-only at first.
awk '$2 ~ "^/(sys|proc/sys)" && $4 ~ "(^|,)ro(,|$)" {{print $2}}' /proc/self/mounts |
  while read -r point; do mount -o remount,bind,rw "$point"; done
mount --make-rshared /
sysctl -w net.ipv4.ip_forward=1
systemctl daemon-reload
systemctl enable --now containerd
systemctl enable kubelet
@JOIN@ --ignore-preflight-errors=SystemVerification
until CIDR=$(kubectl --kubeconfig=/etc/kubernetes/kubelet.conf get node "$(hostname)" -o 'jsonpath={{.spec.podCIDR}}')
  [ -n "$CIDR" ]
do sleep 1; done
nft --file {cni.MASQUERADE}
mkdir -p /etc/cni/net.d
sed "s|{PLACEHOLDER}|$CIDR|" /root/pod-network > {cni.CONFIGURATION}
curl --fail --request PUT --data "{{\\"cidr\\": \\"$CIDR\\"}}" http://169.254.169.254/v1/routes
"""


@contextmanager
def joined(stack: Stack) -> Iterator[str]:
    """A worker's name for as long as the block lasts."""
    client, name = Client(), f"{stack.name}-{NAME}"
    owner = {"stack": stack.name, "urn": f"urn:pulumi:{stack.name}::kube-ha::local:index:MachineGroup::{NAME}"}
    client.put(name, {"kind": "MachineGroup", "owner": owner, "spec": group(stack)})
    try:
        yield NAME
    finally:
        client.remove(name)
        stack.kubectl("delete", "node", NAME, "--ignore-not-found")


def group(stack: Stack) -> dict[str, object]:
    """The machine, with the image that the masters have."""
    machines = [found["spec"] for found in Client().resources() if found["owner"]["stack"] == stack.name]
    image = next(spec["image"] for spec in machines if spec.get("role") == "master")
    token = ("kubeadm", "token", "create", "--print-join-command", "--kubeconfig=/etc/kubernetes/admin.conf")
    return {
        "name": NAME,
        "network": stack.name,
        "role": "worker",
        "image": image,
        "userData": user_data(stack.injector.run("master-1", *token).strip()),
        "memoryMb": 1024,
        "slots": [{"machine": NAME, "zone": ZONE, "address": str(IPv4Network(stack.declared.cidr)[256 + 41])}],
    }


def user_data(join: str) -> str:
    """A cloud-config that joins with kubeadm's own command."""
    files = {
        containerd.CONFIGURATION: containerd.render(Host(container=True, cgroup_v1=True, swap=False)),
        f"/etc/systemd/system/{containerd.UNIT}": containerd.service(),
        f"/etc/systemd/system/{kubelet.UNIT}": kubelet.service(),
        cni.MASQUERADE: cni.masquerade(POD_CIDR),
        "/root/pod-network": json.dumps(cni.render(PLACEHOLDER, POD_CIDR)),
        "/root/join": JOIN.replace("@JOIN@", join),
    }
    config = {
        "write_files": [{"path": path, "content": text, "permissions": "0700"} for path, text in files.items()],
        "runcmd": [["/root/join"]],
    }
    return "#cloud-config\n" + json.dumps(config) + "\n"
