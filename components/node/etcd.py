"""etcd's configuration file and systemd unit, for stacked and external members alike."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from components.node import machine
from components.node.certificates import Request
from components.node.record import PEER_PORT

CLIENT_PORT: Final = 2379
METRICS_PORT: Final = 2381
"""Plain HTTP: /livez, /readyz, /health, /metrics. Load balancers and probes carry no certificates."""

UNIT: Final = "kube-ha-etcd.service"

COMPACTION_RETENTION: Final = "30m"
"""A backstop: API servers compact every 5 minutes themselves, and keep what is younger for watches to resume."""

SNAPSHOT_COUNT: Final = 10_000
"""etcd's own default since 3.6: entries kept in memory for members that lag."""

TCP_RETRIES: Final = 4
"""net.ipv4.tcp_retries2: a connection that nobody acknowledges ends after about 6 s, instead of 15 minutes.

etcd's peer connections survive a cut in TCP back-off and the next election on that link waits for it. Measured, a 28 s
cut, 5 s, a second cut: writes again after 21 s with the default, 0.7 s (0.85 s at worst) with 4.
"""


@dataclass(frozen=True)
class Files:
    """Where the certificates and the configuration are, all in one folder."""

    folder: Path

    @property
    def configuration(self) -> Path:
        """The configuration file; JSON, which is YAML."""
        return self.folder / "etcd.json"

    def certificate(self, leaf: str) -> Path:
        """Certificate of the leaf `server`, `peer` or `client`."""
        return self.folder / f"{leaf}.crt"

    def key(self, leaf: str) -> Path:
        """Key of the leaf."""
        return self.folder / f"{leaf}.key"

    def authority(self, leaf: str) -> Path:
        """Certificate of the authority that signs the leaf."""
        return self.folder / ("peer-ca.crt" if leaf == "peer" else "client-ca.crt")


@dataclass(frozen=True)
class Start:
    """As which member etcd starts. Counts only on an empty data folder."""

    data: Path
    initial_cluster: str
    token: str
    existing: bool
    """Whether it joins a cluster that is there, instead of being part of a new one."""
    compares: bool = True
    """Whether it compares its data with the others' before it serves. Members that start at once wait for each other's
    answer until it is given up: 6 s each, at an election timeout of 400 ms, one after the other. Of five that had lost
    their power none was elected for 21 s (measured), so they start in turn (`agent/cluster.py`)."""

    @classmethod
    def with_log(cls, data: Path, *, compares: bool = True) -> Self:
        """With the log that is there, or not at all. The unit's own check comes a moment before etcd opens its folder:
        emptied in between, etcd would become the member that it was, without what it had acknowledged.
        """
        return cls(data, "nobody=https://nobody:2380", token="nobody", existing=True, compares=compares)  # noqa: S106


def client_url(address: str) -> str:
    """A member's client URL."""
    return f"https://{address}:{CLIENT_PORT}"


def metrics_url(address: str, path: str) -> str:
    """URL of a path such as `/health` on a member's metrics port."""
    return f"http://{address}:{METRICS_PORT}{path}"


def configuration(me: machine.Peer, etcd: machine.Etcd, files: Files, start: Start) -> str:
    """The content of etcd's configuration file.

    Clients are served on the machine's own address only: 127.0.0.1:2379 belongs to the passthrough on masters.
    """
    peer = f"https://{me.address}:{PEER_PORT}"
    options: dict[str, Any] = {
        "name": me.name,
        "data-dir": str(start.data),
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "listen-client-urls": client_url(me.address),
        "advertise-client-urls": client_url(me.address),
        "listen-metrics-urls": ",".join(f"http://{host}:{METRICS_PORT}" for host in _metrics_hosts(me.address)),
        "initial-cluster": start.initial_cluster,
        "initial-cluster-token": start.token,
        "initial-cluster-state": "existing" if start.existing else "new",
        "heartbeat-interval": etcd.heartbeat_ms,
        "election-timeout": etcd.election_ms,
        "quota-backend-bytes": etcd.quota_bytes,
        "auto-compaction-mode": "periodic",
        "auto-compaction-retention": COMPACTION_RETENTION,
        "snapshot-count": SNAPSHOT_COUNT,
        # A member that never comes back as a learner must not keep the next one out.
        "max-learners": 2,
        "strict-reconfig-check": True,
        "pre-vote": True,
        "enable-grpc-gateway": False,
        "feature-gates": f"InitialCorruptCheck={str(start.compares).lower()},CompactHashCheck=true",
        "client-transport-security": _security(files, "server"),
        "peer-transport-security": _security(files, "peer"),
        "logger": "zap",
        "log-level": "info",
        "log-outputs": ["stderr"],
    }
    return json.dumps(options, indent=1, sort_keys=True) + "\n"


def unit(etcd: Path, files: Files, volume: Path, data: Path, hand_over: str) -> str:
    """The systemd unit. `hand_over` is the command that gives leadership away before etcd is told to stop.

    The condition keeps etcd from starting by itself on a disk that was wiped under it: it would vote again as the
    member that it was. An empty folder is started only while it is prepared (`<data>.nonce` is there).
    """
    return f"""[Unit]
Description=etcd
After=network-online.target
ConditionPathExists={files.configuration}
ConditionPathIsMountPoint={volume}
StartLimitIntervalSec=0

[Service]
Type=notify
ExecCondition=/bin/sh -c 'ls {data}/member/wal/*.wal >/dev/null 2>&1 || test -e {data}.nonce'
ExecStartPre=/sbin/sysctl -q -w net.ipv4.tcp_retries2={TCP_RETRIES}
# Linux 6.15 and later; -e skips it elsewhere.
ExecStartPre=-/sbin/sysctl -q -e -w net.ipv4.tcp_rto_max_ms=1000
ExecStart={etcd} --config-file={files.configuration}
ExecStop=-{hand_over}
TimeoutStartSec=infinity
TimeoutStopSec=15
Restart=always
RestartSec=500ms
LimitNOFILE=65536
IOSchedulingClass=best-effort
IOSchedulingPriority=0
OOMScoreAdjust=-999

[Install]
WantedBy=multi-user.target
"""


def requests(me: machine.Peer) -> dict[str, Request]:
    """The leaf certificates of a member's machine, by leaf.

    A peer's certificate is used on both ends, and etcd checks the address that the peer dials from.
    """
    return {
        "server": Request(me.name, names=(me.name, "localhost"), addresses=(me.address, "127.0.0.1"), server=True),
        "peer": Request(me.name, names=(me.name,), addresses=(me.address,), server=True, client=True),
        "client": Request("kube-ha-agent", client=True),
    }


def _security(files: Files, leaf: str) -> dict[str, Any]:
    return {
        "cert-file": str(files.certificate(leaf)),
        "key-file": str(files.key(leaf)),
        "client-cert-auth": True,
        "trusted-ca-file": str(files.authority(leaf)),
    }


def _metrics_hosts(address: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((address, "127.0.0.1")))
