"""Which cloud a stack is rehearsed on. A cloud's SDK and emulator are imported only for its own stacks."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Final

from components.clouds import Cloud, Management
from components.settings import Settings
from rehearsal.project import Project
from rehearsal.scene import Scene

SCENES: Final = {
    (Cloud.AWS, Management.SELF_MANAGED): "rehearsal.self_managed_aws",
    (Cloud.AWS, Management.MANAGED): "rehearsal.eks",
    (Cloud.AZURE, Management.MANAGED): "rehearsal.aks",
    (Cloud.GCP, Management.MANAGED): "rehearsal.gke",
}
"""Cloud and control plane → module with a context manager `scene(project, settings)`."""


class NoSceneError(Exception):
    """Nothing stands in for what the stack asks for."""


@contextmanager
def scene(project: Project, settings: Settings) -> Iterator[Scene]:
    """The pretended cloud of a stack, as long as it is rehearsed.

    Raises:
        NoSceneError: there is none.
    """
    module = SCENES.get((settings.cloud, settings.control_plane))
    if module is None:
        raise NoSceneError(f"stack {project.stack}: nothing pretends a {settings.control_plane} {settings.cloud} yet")
    made: Any = import_module(module)
    with made.scene(project, settings) as opened:
        yield opened
