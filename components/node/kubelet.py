"""The kubelet: its configuration, as the machine it finds itself on needs it, and its systemd unit."""

from dataclasses import dataclass
from typing import Any, Final

from components.node.health import HTTP2_IDLE_SECONDS
from components.node.machine import Machine

UNIT: Final = "kubelet.service"
CONTAINERD_SOCKET: Final = "unix:///run/containerd/containerd.sock"


@dataclass(frozen=True, kw_only=True)
class Host:
    """What is found out on the machine, since it is not the cloud that decides it."""

    container: bool
    """The machine is a container: it shares the host's kernel, disks and limits."""
    cgroup_v1: bool
    swap: bool


def render(machine: Machine, host: Host) -> dict[str, Any]:
    """The cluster's KubeletConfiguration: masters start with it, and `kubeadm join` gives it to workers."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "containerRuntimeEndpoint": CONTAINERD_SOCKET,
        "clusterDomain": machine.kubernetes.dns_domain,
        "rotateCertificates": True,
        "cgroupDriver": "cgroupfs" if host.cgroup_v1 or host.container else "systemd",
        **({"failCgroupV1": False} if host.cgroup_v1 else {}),
        **({"failSwapOn": False} if host.swap else {}),
        **(_in_a_container() if host.container else {}),
    }


def _in_a_container() -> dict[str, Any]:
    return {
        # The root is an overlay, which cAdvisor knows no device of.
        "localStorageCapacityIsolation": False,
        # The disk is the host's: how full its owner keeps it says nothing about our pods.
        "evictionHard": {"memory.available": "100Mi"},
    }


def master_patch() -> dict[str, Any]:
    """What masters have beyond the cluster's configuration (kubeadm's patch target `kubeletconfiguration`)."""
    return {
        # Back-off of up to 5 min would keep a master away long after the quorum that it crashed for is back.
        "crashLoopBackOff": {"maxContainerRestartPeriod": "5s"},
        # A master's images came with the machine: collected ones could not be pulled again where no registry is.
        "imageGCHighThresholdPercent": 100,
    }


def region(cloud: str, zone: str) -> str:
    """The region of a zone, as each cloud names them: eu-west-1a, europe-west1-b, westeurope-1."""
    if cloud == "local":
        return "local"
    return zone[:-1] if cloud == "aws" else zone.rpartition("-")[0]


def node_labels(machine: Machine) -> dict[str, str]:
    """The labels that a kubelet may give its own Node."""
    return {
        "topology.kubernetes.io/region": region(machine.cloud, machine.zone),
        "topology.kubernetes.io/zone": machine.zone,
    }


def cloud_flags(provider_id: str) -> dict[str, str]:
    """The flags of a kubelet whose Node waits, tainted, until the cloud's controller manager has found its machine."""
    return {"cloud-provider": "external", "provider-id": provider_id} if provider_id else {}


def service(executable: str = "/opt/kube-ha/bin/kubelet") -> str:
    """The kubelet's systemd unit, with the arguments that kubeadm writes."""
    return f"""\
[Unit]
Description=kubelet: runs this machine's pods
Wants=containerd.service
After=containerd.service
StartLimitIntervalSec=0

[Service]
Environment=PATH=/opt/kube-ha/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf \\
  --kubeconfig=/etc/kubernetes/kubelet.conf"
Environment=HTTP2_READ_IDLE_TIMEOUT_SECONDS={HTTP2_IDLE_SECONDS} HTTP2_PING_TIMEOUT_SECONDS={HTTP2_IDLE_SECONDS}
Environment=KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
ExecStart={executable} $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS
Restart=always
RestartSec=1
# The pods of a kubelet that restarts go on.
KillMode=process

[Install]
WantedBy=multi-user.target
"""
