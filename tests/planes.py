"""Every control plane of the repository, built without an engine; how, each cloud's `tests/<cloud>/stacks.py` says."""

from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

from components.clouds import Cloud
from components.settings import Settings
from tests.program.artifacts import pretend
from tests.program.recorder import Registration, build
from tests.program.stacks import NAMES, program, settings_of

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
    with TemporaryDirectory() as folder, pretend(Path(folder)):
        return build(lambda: program(stack, settings), stack)
