"""The cloud's controller manager: what tells Nodes what their machines are, and removes those of machines that ended.

Of its controllers two run: the one that initialises Nodes and the one that deletes them. Routes to pods are the agents'
(`agent/routes.py`), which serve a route table in each zone where its own knows one alone; load balancers of Services
are left to the cloud's own controller for them, whose permissions no master then needs.
"""

from typing import Any, Final

from components.node import kubelet
from components.node.health import API_PORT
from components.node.kubeadm import LEADER_ELECTION
from components.node.machine import Machine

VERSION: Final = "1.37.0"
IMAGES: Final = {"aws": f"registry.k8s.io/provider-aws/cloud-controller-manager:v{VERSION}"}
"""Cloud → its controller's image, which machines have as an artifact. The other clouds have none."""

NAMESPACE: Final = "kube-system"
NAME: Final = "cloud-controller-manager"
CONFIGURATION: Final = "/etc/kube-ha/cloud.conf"
PORT: Final = 10258
"""Its own default."""

CONTROLLERS: Final = ("cloud-node-controller", "cloud-node-lifecycle-controller")

Document = dict[str, Any]


def manifests(machine: Machine) -> list[Document]:
    """A replica on each master, one of which leads; nothing where the cloud has no controller."""
    if machine.cloud not in IMAGES:
        return []
    return [account(), *permissions(), configuration(machine), daemon_set(machine)]


def flags(machine: Machine) -> dict[str, str]:
    """What it is started with."""
    return {
        "cloud-provider": machine.cloud,
        "cloud-config": CONFIGURATION,
        "cluster-name": machine.cluster,
        "controllers": ",".join(CONTROLLERS),
        # Asked for its health by this machine's kubelet, and by nobody else.
        "bind-address": "127.0.0.1",
        "secure-port": str(PORT),
        "webhook-secure-port": "0",
        "profiling": "false",
        **LEADER_ELECTION,
    }


def account() -> Document:
    """Who it is."""
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _metadata()}


def permissions() -> list[Document]:
    """What it may do: Nodes and events, and one Lease."""
    nodes = {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list", "watch", "patch", "update", "delete"]}
    status = {"apiGroups": [""], "resources": ["nodes/status"], "verbs": ["patch"]}
    events = {"apiGroups": ["", "events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch", "update"]}
    lease = {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"]}
    leading = [{**lease, "verbs": ["create"]}, {**lease, "resourceNames": [NAME], "verbs": ["get", "update"]}]
    cluster = f"kube-ha:{NAME}"
    return [
        _rbac("ClusterRole", {"name": cluster}, rules=[nodes, status, events]),
        _rbac("ClusterRoleBinding", {"name": cluster}, **_bound("ClusterRole", cluster)),
        _rbac("Role", _metadata(), rules=leading),
        _rbac("RoleBinding", _metadata(), **_bound("Role", NAME)),
        # Whose certificates its own endpoint trusts.
        _rbac(
            "RoleBinding",
            {**_metadata(), "name": f"{NAME}-authentication"},
            **_bound("Role", "extension-apiserver-authentication-reader"),
        ),
    ]


def configuration(machine: Machine) -> Document:
    """Its configuration file, which names the cluster, so that no instance needs a tag for it."""
    region = kubelet.region(machine.cloud, machine.zone)
    content = f"[Global]\nRegion = {region}\nKubernetesClusterID = {machine.cluster}\n"
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": _metadata(),
        "data": {CONFIGURATION.rpartition("/")[2]: content},
    }


def daemon_set(machine: Machine) -> Document:
    """Where it runs: on masters alone, before any Node is initialised and any pod network is there."""
    labels = {"k8s-app": NAME}
    folder = CONFIGURATION.rpartition("/")[0]
    container = {
        "name": NAME,
        "image": IMAGES[machine.cloud],
        "args": [f"--{name}={value}" for name, value in flags(machine).items()],
        # This master's own API server, as the other controllers have it, without kube-proxy in between.
        "env": [
            {"name": "KUBERNETES_SERVICE_HOST", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}},
            {"name": "KUBERNETES_SERVICE_PORT", "value": str(API_PORT)},
        ],
        "livenessProbe": {
            "httpGet": {"host": "127.0.0.1", "port": PORT, "path": "/healthz", "scheme": "HTTPS"},
            "initialDelaySeconds": 20,
            "timeoutSeconds": 15,
            "failureThreshold": 8,
        },
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
        },
        "volumeMounts": [{"name": "configuration", "mountPath": folder, "readOnly": True}],
    }
    pod = {
        "serviceAccountName": NAME,
        # Also for the instance's credentials: pods are one hop too far away for them.
        "hostNetwork": True,
        "priorityClassName": "system-node-critical",
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        "nodeSelector": {"node-role.kubernetes.io/control-plane": ""},
        "tolerations": [{"operator": "Exists"}],
        "containers": [container],
        "volumes": [{"name": "configuration", "configMap": {"name": NAME}}],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {**_metadata(), "labels": labels},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}},
    }


def _metadata() -> Document:
    return {"name": NAME, "namespace": NAMESPACE}


def _rbac(kind: str, metadata: Document, **content: Any) -> Document:
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": metadata, **content}


def _bound(kind: str, name: str) -> Document:
    return {
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}],
    }
