"""containerd: its configuration and its systemd unit."""

from typing import Final

from components.node.kubelet import Host

UNIT: Final = "containerd.service"
CONFIGURATION: Final = "/etc/containerd/config.toml"
SANDBOX_IMAGE: Final = "registry.k8s.io/pause:3.10.2"
"""What Kubernetes 1.37 wants (`kubeadm config images list`)."""


def render(host: Host, pod_network: str = "") -> str:
    """The configuration, in containerd 2's format.

    `pod_network`: path of a template from which containerd writes the pod network's configuration once the kubelet
    knows the Node's pod CIDR; none where an agent writes it.
    """
    systemd_cgroup = "false" if host.cgroup_v1 or host.container else "true"
    # A container may not lower its OOM score below its own, and runc fails when told to.
    restrict = "true" if host.container else "false"
    template = f'  conf_template = "{pod_network}"\n' if pod_network else ""
    return f"""\
version = 3

[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "{SANDBOX_IMAGE}"

[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = {restrict}

[plugins."io.containerd.cri.v1.runtime".cni]
  bin_dirs = ["/opt/cni/bin"]
  conf_dir = "/etc/cni/net.d"
{template}
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
  SystemdCgroup = {systemd_cgroup}
"""


def service(executable: str = "/opt/kube-ha/bin/containerd") -> str:
    """The unit: as the project's own, with binaries where the artifacts are."""
    return f"""\
[Unit]
Description=containerd: runs containers
After=network.target local-fs.target
StartLimitIntervalSec=0

[Service]
Type=notify
Environment=PATH=/opt/kube-ha/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ExecStartPre=-/sbin/modprobe overlay
ExecStart={executable} --config {CONFIGURATION}
# Containers outlive it, in cgroups of their own.
Delegate=yes
KillMode=process
Restart=always
RestartSec=1
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity
OOMScoreAdjust=-999

[Install]
WantedBy=multi-user.target
"""
