"""kubeadm's configuration: one file that every phase of a master reads, and the patches to what phases write."""

import json
from collections.abc import Mapping
from typing import Any, Final

from components.node import addons, audit, kubelet
from components.node.health import API_PORT, ETCD_READY_SECONDS, grace_period_seconds, shutdown_delay_seconds
from components.node.kubelet import Host
from components.node.machine import Machine
from components.node.passthrough import ENDPOINT

API_VERSION: Final = "kubeadm.k8s.io/v1beta4"
CONFIGURATION: Final = "/etc/kubernetes/kubeadm.yaml"
PATCHES: Final = "/etc/kubernetes/patches"
POLICY: Final = "/etc/kubernetes/policy"
"""Folder of the files that the API server's flags name; its static pod mounts it."""
AUTHENTICATION_FILE: Final = f"{POLICY}/authentication.json"
ENCRYPTION_FILE: Final = f"{POLICY}/encryption.json"
AUDIT_FILE: Final = f"{POLICY}/audit.json"
PKI: Final = "/etc/kubernetes/pki"
SIGNING_AUTHORITY: Final = f"{PKI}/signing-ca.crt"
"""Of the certificates in ca.crt the one that signs."""

LEADER_ELECTION: Final = {
    # A hard-killed leader is taken over in 17 s on average, 23 s at most; one that stops cleanly, at once.
    "leader-elect-lease-duration": "15s",
    "leader-elect-renew-deadline": "10s",
    "leader-elect-retry-period": "2s",
}

START_SECONDS: Final = 240
"""How long a component may take to start before it is restarted: kubeadm's own limit."""
STARTUP_PROBE: Final = {"initialDelaySeconds": 0, "periodSeconds": 1, "failureThreshold": START_SECONDS}
"""kubeadm asks every 10 s, and not before the first 10: whatever had been restarted was not Ready for 10 to 20 s."""

Document = dict[str, Any]


def render(machine: Machine, host: Host, bootstrap_token: str | None = None) -> str:
    """All of kubeadm's documents for a master, as a YAML stream (each document is JSON).

    `bootstrap_token` is a secret and only the phase that uploads it needs it: without one the file holds none.
    """
    documents = (
        initialisation(machine, bootstrap_token),
        cluster(machine),
        kubelet.render(machine, host),
        proxy(machine, host),
    )
    return "---\n".join(json.dumps(document, indent=2) + "\n" for document in documents)


def initialisation(machine: Machine, bootstrap_token: str | None) -> Document:
    """This machine's InitConfiguration."""
    labels = ",".join(f"{name}={value}" for name, value in kubelet.node_labels(machine).items())
    return {
        "apiVersion": API_VERSION,
        "kind": "InitConfiguration",
        "localAPIEndpoint": {"advertiseAddress": machine.address, "bindPort": API_PORT},
        "nodeRegistration": {
            "name": machine.name,
            "criSocket": kubelet.CONTAINERD_SOCKET,
            "imagePullPolicy": "IfNotPresent",
            "kubeletExtraArgs": _arguments(
                {"node-ip": machine.address, "node-labels": labels, **kubelet.cloud_flags(machine.provider_id)}
            ),
        },
        "patches": {"directory": PATCHES},
        **({"bootstrapTokens": [_token(bootstrap_token)]} if bootstrap_token is not None else {}),
    }


def _token(token: str) -> Document:
    return {
        "token": token,
        # Workers come at any time of the cluster's life; the token is the stack's secret and changes with it.
        "ttl": "0s",
        "usages": ["signing", "authentication"],
        "groups": ["system:bootstrappers:kubeadm:default-node-token"],
    }


def cluster(machine: Machine) -> Document:
    """The ClusterConfiguration, the same on every master."""
    kubernetes = machine.kubernetes
    return {
        "apiVersion": API_VERSION,
        "kind": "ClusterConfiguration",
        "clusterName": machine.cluster,
        "kubernetesVersion": kubernetes.version,
        "controlPlaneEndpoint": kubernetes.endpoint,
        "encryptionAlgorithm": "ECDSA-P256",
        "networking": {
            "podSubnet": kubernetes.pod_cidr,
            "serviceSubnet": kubernetes.service_cidr,
            "dnsDomain": kubernetes.dns_domain,
        },
        "etcd": {
            "external": {
                "endpoints": [ENDPOINT],
                "caFile": f"{PKI}/etcd/ca.crt",
                "certFile": f"{PKI}/apiserver-etcd-client.crt",
                "keyFile": f"{PKI}/apiserver-etcd-client.key",
            }
        },
        "apiServer": {
            "certSANs": list(kubernetes.certificate_names),
            "extraArgs": _arguments(api_server_flags(machine)),
            "extraVolumes": [
                _volume("policy", POLICY, read_only=True),
                _volume("audit", audit.LOG.rpartition("/")[0], read_only=False),
            ],
        },
        "controllerManager": {
            "extraArgs": _arguments(
                {
                    **LEADER_ELECTION,
                    "cluster-signing-cert-file": SIGNING_AUTHORITY,
                    "profiling": "false",
                    "terminated-pod-gc-threshold": "1000",
                }
            )
        },
        "scheduler": {"extraArgs": _arguments({**LEADER_ELECTION, "profiling": "false"})},
    }


def api_server_flags(machine: Machine) -> dict[str, str]:
    """The API server's flags beyond kubeadm's own."""
    return {
        "authentication-config": AUTHENTICATION_FILE,
        "encryption-provider-config": ENCRYPTION_FILE,
        **audit.flags(AUDIT_FILE),
        "etcd-readycheck-timeout": f"{ETCD_READY_SECONDS}s",
        "shutdown-delay-duration": f"{shutdown_delay_seconds(machine.cloud)}s",
        # It ends 2 s after its last request. Without, it waits a whole minute for watches, which end with nothing.
        "shutdown-send-retry-after": "true",
        "profiling": "false",
        # HTTP/2 connections stay where they are for ever, so a master that returns would get none: one request in a
        # thousand is told to connect anew. Alone, a master would only drop its clients.
        **({"goaway-chance": "0.001"} if machine.kubernetes.masters > 1 else {}),
    }


def proxy(machine: Machine, host: Host) -> Document:
    """kube-proxy's configuration: nftables, since iptables mode is in maintenance and slower the more Services."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "clusterCIDR": machine.kubernetes.pod_cidr,
        # The connection tracking limits are the host's; in a container they cannot be written, and trying is fatal.
        **({"conntrack": {"maxPerCore": 0, "min": 0}} if host.container else {}),
    }


def patches(machine: Machine) -> Mapping[str, Document]:
    """File name in `PATCHES` → patch, as kubeadm names them: target+type.json."""
    return {
        "kube-apiserver+strategic.json": {
            "spec": {
                "terminationGracePeriodSeconds": grace_period_seconds(machine.cloud),
                "containers": [
                    {
                        "name": "kube-apiserver",
                        # A lost quorum is not this process's fault, and restarting it makes the return slower.
                        "livenessProbe": {"httpGet": {"path": "/livez?exclude=etcd"}},
                        "startupProbe": STARTUP_PROBE,
                    }
                ],
            }
        },
        **{
            f"{name}+strategic.json": {"spec": {"containers": [{"name": name, "startupProbe": STARTUP_PROBE}]}}
            for name in ("kube-controller-manager", "kube-scheduler")
        },
        "kubeletconfiguration+strategic.json": kubelet.master_patch(),
        "corednsdeployment+strategic.json": addons.dns_patch(machine.kubernetes),
    }


def _arguments(flags: Mapping[str, str]) -> list[Document]:
    return [{"name": name, "value": value} for name, value in flags.items()]


def _volume(name: str, path: str, *, read_only: bool) -> Document:
    return {
        "name": name,
        "hostPath": path,
        "mountPath": path,
        "readOnly": read_only,
        "pathType": "DirectoryOrCreate",
    }
