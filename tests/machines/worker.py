"""A worker machine, as a user of a local stack would add one: a machine group with a cloud-init of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Network
from typing import Final

from providers.local.client import Client
from tests.machines.stack import Stack

NAME: Final = "worker-1"
ZONE: Final = "zone-a"
MEMORY_MB: Final = 1024


@contextmanager
def joined(stack: Stack, user_data: str) -> Iterator[str]:
    """The name of a worker that boots with this, for as long as the block lasts."""
    client, identity = Client(), f"{stack.name}-{NAME}"
    owner = {"stack": stack.name, "urn": f"urn:pulumi:{stack.name}::kube-ha::local:index:MachineGroup::{NAME}"}
    client.put(identity, {"kind": "MachineGroup", "owner": owner, "spec": group(stack, user_data)})
    try:
        yield NAME
    finally:
        client.remove(identity)
        stack.kubectl("delete", "node", NAME, "--ignore-not-found")


def printed(stack: Stack) -> str:
    """What `make worker` prints."""
    output = stack.make("worker", f"ZONE={ZONE}").output
    return output[output.index("#cloud-config") :]


def group(stack: Stack, user_data: str) -> dict[str, object]:
    """Its group, with the image that the masters have."""
    machines = [found["spec"] for found in Client().resources() if found["owner"]["stack"] == stack.name]
    image = next(spec["image"] for spec in machines if spec.get("role") == "master")
    return {
        "name": NAME,
        "network": stack.name,
        "role": "worker",
        "image": image,
        "userData": user_data,
        "memoryMb": MEMORY_MB,
        "slots": [{"machine": NAME, "zone": ZONE, "address": str(IPv4Network(stack.declared.cidr)[256 + 41])}],
    }
