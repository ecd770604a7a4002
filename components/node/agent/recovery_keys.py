"""The keys that a restore into another stack takes, beside the snapshots: wrapped by the cloud's key service.

Without the encryption key the secrets in a snapshot cannot be read; without the service-account key and the
certificate authorities nobody that the cluster knew can prove who they are. A machine has them wrapped and cannot
unwrap them; who owns the cloud's key can.
"""

import hashlib
import json
import time
from typing import Final

from components.node.agent.cloud import ConflictError
from components.node.agent.step import Context
from components.node.snapshots import SnapshotKeys

SECRETS: Final = ("encryption-at-rest", "front-proxy-ca", "kubernetes-ca", "service-account")
"""Not etcd's: its authorities sign nothing that outlives its members' machines."""

MONTH_SECONDS: Final = 31 * 86400.0


def keep(context: Context, now: float) -> str | None:
    """Store this month's copy unless it is there; its key if it was not."""
    bundle = json.dumps({name: json.loads(context.cloud.secret(name)) for name in SECRETS}, sort_keys=True).encode()
    fingerprint = hashlib.sha256(bundle).hexdigest()[:16]
    key = SnapshotKeys(context.machine.uid).recovery_keys(time.strftime("%Y-%m", time.gmtime(now)), fingerprint)
    if any(entry.key == key for entry in context.cloud.list(key)):
        return None
    plan = context.machine.snapshots
    life = MONTH_SECONDS + max((tier.for_seconds for tier in plan.keep), default=0)
    try:
        context.cloud.put(
            key, context.cloud.wrap(bundle), if_absent=True, retain_until=now + life if plan.locked else None
        )
    except ConflictError:
        return None
    return key
