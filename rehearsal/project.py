"""The project that a rehearsal runs: this repository's program, with a copy of the stack's file that it may change."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from components import stack_name
from components.settings import Settings, load
from rehearsal import environment

REPOSITORY: Final = Path(__file__).parents[1]
PROGRAM: Final = ("__main__.py", "components", "policy", "providers", "requirements.lock", "toolchain")


class NoSuchStackError(Exception):
    """The repository has no such stack that can be rehearsed."""


class Project:
    """A folder with everything that the engine reads and writes: nothing of the repository changes."""

    def __init__(self, folder: Path, stack: str) -> None:
        self.folder, self.stack = folder, stack
        self.program, self.home, self.state = folder / "program", folder / "home", folder / "state"
        source = REPOSITORY / "stacks" / f"Pulumi.{stack}.yaml"
        if stack not in (known := rehearsable()):
            raise NoSuchStackError(f"stack {stack}: nothing to rehearse it on; accepted: {', '.join(known)}")
        self.config: dict[str, Any] = configuration(source)
        settings = yaml.safe_load((REPOSITORY / "Pulumi.yaml").read_text())
        settings["main"] = str(self.program)
        settings["runtime"]["options"]["virtualenv"] = str(REPOSITORY / ".venv")
        settings.pop("plugins", None)
        (folder / "stacks").mkdir(parents=True)
        self.copy_program()
        (folder / "Pulumi.yaml").write_text(yaml.safe_dump(settings))
        self.file = folder / "stacks" / source.name
        self.configure({})
        environment.stand_in(self.home, self.program / "providers")

    def copy_program(self) -> None:
        """What is rehearsed is one state of the program, whatever is edited meanwhile."""
        for part in PROGRAM:
            source, target = REPOSITORY / part, self.program / part
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "go"))
            else:
                shutil.copy(source, target)
        (self.program / ".venv").symlink_to(REPOSITORY / ".venv")

    @property
    def settings(self) -> Settings:
        """Those that the program will read."""
        return load({key: said if isinstance(said, str) else json.dumps(said) for key, said in self.config.items()})

    def check(self) -> None:
        """That the program can make something of its settings: what it would refuse needs no pretended cloud.

        Raises:
            SettingsError: they cannot be, or the stack's name cannot.
            TopologyError: no control plane can be planned from them.
        """
        stack_name.check(self.stack, self.settings.cloud)
        _ = self.settings.topology

    def configure(self, changes: Mapping[str, Any]) -> None:
        """Change settings of the stack; what the engine wrote beside them stays."""
        written = yaml.safe_load(self.file.read_text()) if self.file.exists() else {}
        self.config = {**self.config, **{f"kube-ha:{name}": value for name, value in changes.items()}}
        self.file.write_text(yaml.safe_dump({**written, "config": self.config}))


def rehearsable() -> list[str]:
    """Stacks whose cloud can be pretended."""
    files = (REPOSITORY / "stacks").glob("Pulumi.*.yaml")
    return sorted(path.name.split(".")[1] for path in files if configuration(path).get("kube-ha:cloud") != "local")


def configuration(file: Path) -> dict[str, Any]:
    """What a stack says."""
    found: dict[str, Any] = yaml.safe_load(file.read_text())["config"]
    return found
