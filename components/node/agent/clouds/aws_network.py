"""The machine's own network: an address that EC2 moved here is also the one that it speaks from."""

import ipaddress
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from components.node.agent.cloud import CloudError

METRIC: Final = "50"
"""Before the routes that DHCP makes (100 and more): etcd checks from which address a peer dials."""

Run = Callable[[Sequence[str]], None]


def commands(device: str, address: str, subnet: str) -> list[list[str]]:
    """What makes `address` the machine's, and the source of what it sends.

    Args:
        subnet: in CIDR notation; its first address is the gateway, as in every subnet of AWS.
    """
    network = ipaddress.IPv4Network(subnet)
    source = ["dev", device, "src", address, "metric", METRIC]
    return [
        ["ip", "address", "replace", f"{address}/{network.prefixlen}", "dev", device, "noprefixroute"],
        ["ip", "route", "replace", str(network), *source],
        ["ip", "route", "replace", "default", "via", str(network[1]), *source],
    ]


def device_of(mac: str, interfaces: Path = Path("/sys/class/net")) -> str:
    """The interface with this hardware address.

    Raises:
        CloudError: there is none.
    """
    for interface in sorted(interfaces.iterdir()):
        address = interface / "address"
        if address.is_file() and address.read_text().strip() == mac:
            return interface.name
    raise CloudError(f"no network interface has the address {mac}")


def run(command: Sequence[str]) -> None:
    """Run a command of `commands`.

    Raises:
        CloudError: it failed.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    if done.returncode != 0:
        raise CloudError(f"{' '.join(command)}: {done.stderr.strip()}")
