"""Engines whose stack is up, without any; and what is in a stack."""

from pathlib import Path
from typing import Any, ClassVar


def resource(kind: str, name: str, *, protect: bool = False) -> dict[str, Any]:
    return {"type": kind, "urn": f"urn:pulumi:local::kube-ha::{kind}::{name}", "protect": protect}


LOCAL = [
    resource("pulumi:pulumi:Stack", "kube-ha-local"),
    resource("kube-ha:local:ControlPlane", "local"),
    resource("tls:index/privateKey:PrivateKey", "etcd-peer-ca", protect=True),
    resource("local:index:Volume", "master-1", protect=True),
    resource("local:index:Bucket", "snapshots"),
    resource("local:index:MachineGroup", "master-1"),
    resource("local:index:Readiness", "local", protect=True),
]


class Up:
    """An engine whose stack is up; it remembers what it was told to run."""

    repository = Path()
    env: ClassVar[dict[str, str]] = {"PULUMI_BACKEND_URL": "file:///nowhere"}

    def __init__(self, *resources: dict[str, Any]) -> None:
        self.stack = "prod-aws"
        self.found = list(resources)
        self.told: list[str] = []

    def resources(self) -> list[dict[str, Any]]:
        return self.found

    def pending(self) -> list[dict[str, Any]]:
        return []

    def read(self, *arguments: str) -> str:
        self.told.append(" ".join(arguments[:2]))
        return ""

    def run(self, *arguments: str) -> None:
        self.told.append(arguments[0])
