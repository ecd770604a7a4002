"""Registers the resources of a program that was written down (tests/policy/programs.py, as JSON in $REPLAYED)."""

import json
import os
from pathlib import Path
from typing import Any

import pulumi

written: dict[str, Any] = json.loads(Path(os.environ["REPLAYED"]).read_text())
made: dict[str, Any] = {}


class Component(pulumi.ComponentResource):
    """As a control plane: inputs are what it declares, outputs what it gives."""

    def __init__(self, kind: str, name: str, declared: dict[str, Any], opts: pulumi.ResourceOptions) -> None:
        super().__init__(kind, name, declared, opts)
        self.register_outputs({"zones": declared.get("zones")})


def resource(key: str) -> Any:
    """The resource with this key, made when it is first asked for."""
    if key not in made:
        said = written[key]
        parent = resource(said["parent"]) if said["parent"] else None
        options = pulumi.ResourceOptions(parent=parent, protect=said["protect"])
        make = Component if said["type"].startswith("kube-ha:") else pulumi.CustomResource
        made[key] = make(said["type"], said["name"], resolved(said["properties"]), options)
    return made[key]


def resolved(value: Any) -> Any:
    """The value with ids of resources for their references."""
    if isinstance(value, dict):
        return resource(value["$id"]).id if "$id" in value else {key: resolved(item) for key, item in value.items()}
    return [resolved(item) for item in value] if isinstance(value, list) else value


for each in written:
    resource(each)
