"""Every control plane of the repository, built without an engine; how, each cloud's `tests/<cloud>/stacks.py` says."""

from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import yaml

from components import outputs
from components.clouds import Cloud
from components.settings import Settings, load
from tests.program.artifacts import pretend
from tests.program.recorder import Registration, build
from tests.program.test_settings import STACKS, as_engine_hands_it

NAMES = tuple(path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in STACKS)


def settings_of(stack: str) -> Settings:
    """Those of `stacks/Pulumi.<stack>.yaml`."""
    path = next(path for path in STACKS if path.name == f"Pulumi.{stack}.yaml")
    return load(as_engine_hands_it(yaml.safe_load(path.read_text())["config"]))


MANAGED = tuple(name for name in NAMES if settings_of(name).control_plane == "managed")


@cache
def built(stack: str) -> list[Registration]:
    """Everything that a stack of the repository registers."""
    settings = settings_of(stack)
    if settings.cloud is Cloud.LOCAL:
        return local(stack, settings)
    registered: list[Registration] = import_module(f"tests.{settings.cloud}.stacks").built(stack)
    return registered


def local(stack: str, settings: Settings) -> list[Registration]:
    from components.local.self_managed import ControlPlane

    def program() -> Any:
        plane = ControlPlane(stack, outputs.ControlPlaneArgs(settings=settings, topology=settings.topology))
        return [getattr(plane, name) for name in outputs.OUTPUTS]

    with pretend(Path(mkdtemp())):
        return build(program, stack)
