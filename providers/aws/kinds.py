"""Every resource type that the stand-in covers."""

from typing import Final

from providers.aws import (
    backing_up,
    balancing,
    buckets,
    clusters,
    identity,
    machines,
    naming,
    network,
    security_groups,
    watching,
)
from providers.aws.kind import Kind

KINDS: Final[dict[str, Kind]] = {
    **network.KINDS,
    **security_groups.KINDS,
    **machines.KINDS,
    **balancing.KINDS,
    **buckets.KINDS,
    **identity.KINDS,
    **naming.KINDS,
    **watching.KINDS,
    **clusters.KINDS,
    **backing_up.KINDS,
}
