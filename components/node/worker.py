"""A worker's cloud-init: what its machine needs to join with the standard `kubeadm join`, without an agent.

Where the cloud has a secret store the machine reads the bootstrap token there, with a role of its own, and says by
which instance the cloud's controller manager finds it. Elsewhere the token is in the cloud-init.

The machine needs containerd 2, runc, kubelet and kubeadm of the cluster's version (on PATH or in `/opt/kube-ha/bin`),
the reference CNI plugins in `/opt/cni/bin`, and nftables: its image has them, or it fetches `files`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from components.node import cni, containerd, kubelet, worker_files
from components.node.kubeadm import API_VERSION
from components.node.kubelet import Host
from components.node.machine import Artifact
from components.node.worker_files import OBTAIN

JOIN: Final = "/etc/kubernetes/join.json"
PREPARE: Final = "/usr/local/sbin/kube-ha-prepare-worker"
PREPARE_UNIT: Final = "kube-ha-prepare-worker.service"
JOIN_UNIT: Final = "kube-ha-join.service"
COMPLETE: Final = "/usr/local/sbin/kube-ha-complete-join"
SECRET: Final = "worker-token"  # noqa: S105 - its name
"""Name of the secret with the token, below the cluster's own."""
SECRET_STORES: Final[Mapping[str, str]] = {
    "aws": """\
AWS_DEFAULT_REGION=$(cloud-init query region)
export AWS_DEFAULT_REGION
TOKEN=$(aws secretsmanager get-secret-value --secret-id "$SECRET" --query SecretString --output text \\
  --cli-connect-timeout 2 --cli-read-timeout 10)
PROVIDER_ID=aws:///$(cloud-init query availability_zone)/$(cloud-init query instance_id)
""",
}
"""Cloud → shell that sets `$TOKEN` from the secret `$SECRET`, and `$PROVIDER_ID`, with what its stock image has."""
PATH: Final = "/opt/kube-ha/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, kw_only=True)
class Worker:
    """What a worker must know of its cluster."""

    endpoint: str
    """host:port of the API."""
    token: str = field(default="", repr=False)
    """A bootstrap token. Empty: the machine reads it from `secret`."""
    cloud: str = "local"
    secret: str = ""
    """Full name of the secret with the token, in the cloud's store."""
    bucket: str = ""
    """Of the stack; where there are `files`."""
    files: tuple[Artifact, ...] = ()
    """What its image lacks."""
    authority_hash: str
    """Of the Kubernetes CA's public key, as kubeadm takes it: sha256:<hexadecimal>."""
    pod_cidr: str | None
    """None: a plugin of the user's makes the pod network."""
    labels: Mapping[str, str]
    """Of its Node; those that a kubelet may give itself, such as its zone."""
    host: Host
    """What kind of machine it is."""


def render(worker: Worker) -> str:
    """A `#cloud-config`. Where it holds the bootstrap token, it is a secret for as long as that is valid."""
    files = {
        **pod_network(worker),
        **({} if worker.secret else {JOIN: json.dumps(join(worker), indent=2) + "\n"}),
        _unit(containerd.UNIT): containerd.service("/usr/bin/env containerd"),
        _unit(kubelet.UNIT): kubelet.service("/usr/bin/env kubelet"),
        _unit(PREPARE_UNIT): prepare_service(worker),
        _unit(JOIN_UNIT): join_service(worker),
    }
    programs = {
        PREPARE: prepare(worker),
        **({COMPLETE: complete(worker)} if worker.secret else {}),
        **({OBTAIN: worker_files.script(worker.cloud, worker.bucket, worker.files)} if worker.files else {}),
    }
    units = [PREPARE_UNIT, containerd.UNIT, kubelet.UNIT, JOIN_UNIT]
    config = {
        "write_files": [
            *({"path": path, "permissions": "0600", "content": content} for path, content in files.items()),
            *({"path": path, "permissions": "0755", "content": content} for path, content in programs.items()),
        ],
        **({"packages": list(worker_files.PACKAGES)} if worker.files else {}),
        "runcmd": [
            ["systemctl", "daemon-reload"],
            ["systemctl", "enable", *units],
            ["systemctl", "start", "--no-block", JOIN_UNIT],
        ],
    }
    return "#cloud-config\n" + json.dumps(config, indent=1) + "\n"


def _unit(name: str) -> str:
    return f"/etc/systemd/system/{name}"


def pod_network(worker: Worker) -> dict[str, str]:
    """containerd's configuration, and the files of the pod network that it makes."""
    if worker.pod_cidr is None:
        return {containerd.CONFIGURATION: containerd.render(worker.host)}
    return {
        containerd.CONFIGURATION: containerd.render(worker.host, pod_network=cni.TEMPLATE),
        cni.TEMPLATE: json.dumps(cni.template(), indent=2) + "\n",
        cni.MASQUERADE: cni.masquerade(worker.pod_cidr),
    }


def join(worker: Worker) -> dict[str, Any]:
    """The JoinConfiguration of `kubeadm join`; with what `complete` fills in where the token is in a secret."""
    labels = ",".join(f"{name}={value}" for name, value in worker.labels.items())
    flags = {"node-labels": labels, **(kubelet.cloud_flags("$PROVIDER_ID") if worker.secret else {})}
    # kubeadm takes cgroup v1 for a fault of the machine; the kubelet's configuration, which it fetches, allows it.
    ignored = {"ignorePreflightErrors": ["SystemVerification"]} if worker.host.cgroup_v1 else {}
    return {
        "apiVersion": API_VERSION,
        "kind": "JoinConfiguration",
        "discovery": {
            "bootstrapToken": {
                "apiServerEndpoint": worker.endpoint,
                "token": worker.token or "$TOKEN",
                "caCertHashes": [worker.authority_hash],
            }
        },
        "nodeRegistration": {
            "criSocket": kubelet.CONTAINERD_SOCKET,
            "imagePullPolicy": "IfNotPresent",
            "kubeletExtraArgs": [{"name": name, "value": value} for name, value in flags.items()],
            **ignored,
        },
    }


def complete(worker: Worker) -> str:
    """The script that writes the JoinConfiguration before each attempt: a token that has expired is not tried twice."""
    return f"""\
#!/bin/sh
set -eu
umask 077
SECRET={worker.secret}
{SECRET_STORES[worker.cloud]}\
mkdir --parents "$(dirname {JOIN})"
cat > {JOIN} <<END
{json.dumps(join(worker), indent=2)}
END
"""


UNLOCK: Final = """\
# In a container what the kubelet and runc write to is read-only at first.
awk '$2 ~ "^/(sys|proc/sys)(/|$)" && $4 ~ "(^|,)ro(,|$)" { print $2 }' /proc/self/mounts |
  while read -r point; do mount -o remount,bind,rw "$point"; done
mount --make-rshared /
"""


def prepare(worker: Worker) -> str:
    """The script that runs before containerd at every boot: the kernel's settings and the translation of addresses."""
    return f"""\
#!/bin/sh
set -eu
{UNLOCK if worker.host.container else ""}\
for module in overlay br_netfilter nf_tables; do modprobe --quiet "$module" || true; done
for setting in net/ipv4/ip_forward net/bridge/bridge-nf-call-iptables; do
  if [ -e "/proc/sys/$setting" ]; then echo 1 > "/proc/sys/$setting"; fi
done
{f"nft --file {cni.MASQUERADE}" if worker.pod_cidr else ""}
"""


def prepare_service(worker: Worker) -> str:
    """Its unit."""
    network = "After=network-online.target\nWants=network-online.target\n" if worker.files else ""
    first = f"ExecStartPre={OBTAIN}\n" if worker.files else ""
    return f"""\
[Unit]
Description=kube-ha: the kernel as a worker needs it
Before={containerd.UNIT}
{network}
[Service]
Type=oneshot
RemainAfterExit=yes
Environment=PATH={PATH}
{first}ExecStart={PREPARE}

[Install]
RequiredBy={containerd.UNIT}
"""


def join_service(worker: Worker) -> str:
    """The unit that joins once, and tries again while the API does not answer."""
    first = f"ExecStartPre={COMPLETE}\n" if worker.secret else ""
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
{first}ExecStart=/usr/bin/env kubeadm join --config {JOIN}
Restart=on-failure
RestartSec=5

[Install]
WantedBy=multi-user.target
"""
