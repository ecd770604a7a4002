"""How long this machine's certificates last. All renew themselves; what nobody renews, somebody has to hear of."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cryptography import x509

from components.node.agent.metrics import Metrics

PATTERNS: Final = (
    "etc/kubernetes/pki/**/*.crt",
    "etc/kube-ha/etcd/*.crt",
    "var/lib/kubelet/pki/kubelet-client-current.pem",
)
"""Leaves and authorities. Of those inside kubeconfigs kubeadm renews each with the leaves."""

DAY: Final = 86400


def ends(root: Path) -> Mapping[str, float]:
    """Path below `root` → Unix time at which the certificate there ends. A file that holds none is left out."""
    found = {}
    for path in (path for pattern in PATTERNS for path in sorted(root.glob(pattern))):
        try:
            certificates = x509.load_pem_x509_certificates(path.read_bytes())
        except (OSError, ValueError):
            # Being renewed.
            continue
        found[str(path.relative_to(root))] = min(one.not_valid_after_utc.timestamp() for one in certificates)
    return found


def days_left(root: Path, metrics: Metrics) -> float | None:
    """Days until the first certificate ends, each of them a metric too; None where there is no certificate yet."""
    found = ends(root)
    for path, end in found.items():
        metrics.set("certificate_end_timestamp_seconds", end, {"file": path})
    return (min(found.values()) - time.time()) / DAY if found else None
