"""Registers the resources of a program that was written down (tests/policy/programs.py, as JSON in $REPLAYED)."""

import json
import os
from pathlib import Path
from typing import Any

import pulumi

made: dict[str, Any] = {}


def resolved(value: Any) -> Any:
    """The value with ids of resources for their references."""
    if isinstance(value, dict):
        return made[value["$id"]].id if "$id" in value else {key: resolved(item) for key, item in value.items()}
    return [resolved(item) for item in value] if isinstance(value, list) else value


class Component(pulumi.ComponentResource):
    """As a control plane: inputs are what it declares, outputs what it gives."""

    def __init__(self, kind: str, name: str, declared: dict[str, Any], opts: pulumi.ResourceOptions) -> None:
        super().__init__(kind, name, declared, opts)
        self.register_outputs({"zones": declared.get("zones")})


for key, resource in json.loads(Path(os.environ["REPLAYED"]).read_text()).items():
    parent = made.get(resource["parent"])
    options = pulumi.ResourceOptions(parent=parent, protect=resource["protect"])
    make = Component if resource["type"].startswith("kube-ha:") else pulumi.CustomResource
    made[key] = make(resource["type"], resource["name"], resolved(resource["properties"]), options)
