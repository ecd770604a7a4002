"""The numbers of health: how often is checked, when something counts as dead, how long a planned end may take.

The one place for them: rendering, the program's load balancers, policy and tests read the same constants.
"Measured" means on three masters and three members on one machine, 100 ms probes, faults of 20 s.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

API_PORT: Final = 6443
"""Where API servers listen, and load balancers in front of them."""

LEADER_PORT: Final = 2383
"""Where a master says in one line whether balancers should leave it out, since etcd has no leader there."""

LEADER_CHECK_MILLISECONDS: Final = 200
"""How often balancers ask there."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """A health check: seconds between checks, and how many in a row change the verdict."""

    interval_seconds: float
    threshold: int

    @property
    def detection_seconds(self) -> float:
        """After how long at most a target that stopped answering gets no new connections."""
        return self.interval_seconds * self.threshold


@dataclass(frozen=True, kw_only=True)
class Haproxy:
    """HAProxy's timings, all in milliseconds; names as in its configuration."""

    inter: int
    fastinter: int
    downinter: int
    rise: int
    fall: int
    timeout_check: int
    timeout_connect: int
    retries: int
    errors: int | None = None
    """Connections in a row that fail before a server is down at once, without waiting for a check. None: never."""


FRONT: Final = Haproxy(
    inter=500, fastinter=200, downinter=500, rise=2, fall=3,
    # A check timeout of 500 ms marked healthy masters down under CPU load (measured). `/readyz` answers within
    # ETCD_READY_SECONDS, whatever etcd does; an API server that hangs in the middle of a check is out 0.6 s after this
    # (measured with 2500: requests failed for 3.0 s, in one run of four).
    timeout_check=1500,
    # With `redispatch 1` each retry goes to another master: a new connection is late by this much, not lost. Zones are
    # a few milliseconds apart, and it is the kernel that answers, however busy the master is. Not so to a check, whose
    # TLS handshake counts as connecting: three in a row that take longer take a master out (not seen in any drill).
    timeout_connect=100,
    retries=5,
    # A server that goes down also ends sessions that are still connecting to it, and they are not sent elsewhere: what
    # came within a connect timeout fails. So it goes down as early as can be: the last of them fails 0.2 s after a
    # master was cut off, not 1.4 s (measured; 0.4 s with a connect timeout of 250 ms).
    errors=3,
)  # fmt: skip
"""Balancer to masters, `GET /readyz`."""

PASSTHROUGH: Final = Haproxy(
    inter=300, fastinter=150, downinter=300, rise=3, fall=2, timeout_check=250, timeout_connect=250, retries=3
)
"""Each master to etcd's members, `GET /livez`: the last failed request about 1 s after a fault, instead of 10 s
with all members in `--etcd-servers` (measured)."""

LOAD_BALANCER: Final[Mapping[str, Check]] = {
    "local": Check(interval_seconds=FRONT.inter / 1000, threshold=FRONT.fall),
    # A network load balancer's smallest interval and threshold.
    "aws": Check(interval_seconds=5, threshold=2),
    # A standard load balancer's smallest interval.
    "azure": Check(interval_seconds=5, threshold=2),
    "gcp": Check(interval_seconds=2, threshold=2),
}
"""How each cloud's load balancer asks masters for `/readyz`."""

VRRP_ADVERTISEMENT_SECONDS: Final = 0.15
"""A silent balancer is replaced after three of them and a skew, small at a high priority: 0.46 s. One second each costs
3 to 4 s."""

DRAIN_SECONDS: Final = 60
"""Longest request that a master which ends finishes: the API server's own `--request-timeout` default."""

STOPPED_API_SERVER_SECONDS: Final = 10
"""How long after its delay an API server may still be there when the system goes down: 2 s after its last request it
ends (measured). A request that takes longer is lost, as it is to a cloud that waits no longer than this."""

ETCD_READY_SECONDS: Final = 1
"""How long an API server's `/readyz` waits for etcd; an election takes less. With Kubernetes' own 2 s, and as long
again for its check `etcd`, a master whose member was cut from the others was in service for up to 10 s (measured)."""

HTTP2_IDLE_SECONDS: Final = 5
"""How long an HTTP/2 connection of a client that we start is silent before it is pinged, and how long the answer may
take: the other side is given up after 10 s. With Kubernetes' own 30 and 15 s a kubelet noticed after 45 s that nobody
is behind its connection, and its Node is taken for dead after 50 s."""

NODE_GONE_SECONDS: Final = 3600
"""How long a master's Node is silent before it is taken for one whose machine will not come back."""


def shutdown_delay_seconds(cloud: str) -> int:
    """How long an API server that ends keeps serving while `/readyz` says no: until no load balancer sends it
    anything new, and 5 s more.

    Raises:
        ValueError: no load balancer of that cloud is known.
    """
    if cloud not in LOAD_BALANCER:
        raise ValueError(f"cloud: {cloud!r} has no load balancer check; it is one of {', '.join(LOAD_BALANCER)}")
    return round(LOAD_BALANCER[cloud].detection_seconds + 5 + 0.49)


def grace_period_seconds(cloud: str) -> int:
    """The static pod's grace period: the kubelet's default of 30 s would kill the API server in its delay."""
    return shutdown_delay_seconds(cloud) + DRAIN_SECONDS
