"""Prints what spreads the add-ons of a managed cluster over its zones."""

import sys

import yaml

from cli.engine import Engine
from cli.refused import RefusedError
from components.clouds import Cloud, Management
from components.spreading import manifests


def show(engine: Engine) -> int:
    """YAML for `kubectl apply --server-side --force-conflicts`, to standard output.

    Raises:
        RefusedError: the stack is not up, or it is no managed one.
    """
    declared = [found["inputs"] for found in engine.resources() if found["type"].endswith(":ControlPlane")]
    if not declared:
        raise RefusedError(f"stack {engine.stack} is not up: its cluster has no add-ons yet")
    (plane,) = declared
    if plane["controlPlane"] != Management.MANAGED:
        raise RefusedError(f"stack {engine.stack} is self-managed: its add-ons are spread when they are made")
    yaml.safe_dump_all(manifests(Cloud(plane["cloud"]), len(plane["zones"])), sys.stdout, sort_keys=False)
    return 0
