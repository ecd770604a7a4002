"""What a resource says of itself beyond what it was asked to be. Pure, so that previews can say most of it too."""

from pathlib import Path
from typing import Any

from providers.local import specs
from providers.local.addresses import Addresses
from providers.local.specs import AnySpec

MACHINE_API = "http://169.254.169.254"


def network_folder(root: Path, network: str) -> Path:
    """Where all that belongs to a network is kept."""
    return root / "networks" / network


def volume_file(root: Path, network: str, volume: str) -> Path:
    """The sparse file of a volume."""
    return network_folder(root, network) / "volumes" / f"{volume}.img"


def outputs(spec: AnySpec, root: Path) -> dict[str, Any]:
    """Outputs besides the inputs, as the engine spells them."""
    match spec:
        case specs.Network():
            addresses = Addresses(spec)
            return {
                "gateway": str(addresses.edge.gateway),
                "edgeCidr": str(addresses.edge.cidr),
                "zoneCidrs": {zone: str(segment.cidr) for zone, segment in addresses.zones.items()},
            }
        case specs.Volume():
            return {"path": str(volume_file(root, spec.network, spec.name))}
        case specs.MachineGroup():
            return {"template": spec.template}
        case specs.Bucket():
            return {"url": f"{MACHINE_API}/v1/buckets/{spec.name}/objects"}
        case specs.BucketObject():
            return {"url": f"{MACHINE_API}/v1/buckets/{spec.bucket}/objects/{spec.key}"}
        case _:
            return {}
