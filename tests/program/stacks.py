"""The stacks of the repository: their settings and their program, for tests that build them without an engine."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

from components import control_plane
from components.settings import Settings, load

ROOT = Path(__file__).resolve().parents[2]
STACKS = sorted((ROOT / "stacks").glob("Pulumi.*.yaml"))
NAMES = tuple(path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in STACKS)


def as_engine_hands_it(config: dict[str, Any]) -> dict[str, str]:
    """A stack's configuration: what is not text is JSON."""
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}


def settings_of(stack: str, **changes: Any) -> Settings:
    """Those of `stacks/Pulumi.<stack>.yaml`, with some keys said otherwise."""
    config = yaml.safe_load((ROOT / "stacks" / f"Pulumi.{stack}.yaml").read_text())["config"]
    return load(as_engine_hands_it({**config, **{f"kube-ha:{name}": value for name, value in changes.items()}}))


def program(stack: str, settings: Settings) -> Any:
    """What `__main__.py` does, less the engine's own."""
    module = import_module(f"components.{settings.cloud}.{settings.control_plane.module}")
    plane = module.ControlPlane(stack, control_plane.ControlPlaneArgs(settings=settings, topology=settings.topology))
    return [getattr(plane, name) for name in control_plane.OUTPUTS]
