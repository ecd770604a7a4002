"""A clone of this repository with stacks and a local cloud of its own: what a developer has up is not touched."""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).resolve().parents[2]
NOT_CLONED: Final = (".git", ".venv", ".state", "*_cache", "__pycache__", ".hypothesis", "build")


@dataclass(frozen=True)
class Declared:
    """What one of the clone's stacks says."""

    name: str
    scenario: str
    cidr: str


PRODUCTION: Final = Declared("acceptance", "production", "10.196.0.0/16")
CRITICAL: Final = Declared("acceptance-critical", "critical", "10.197.0.0/16")
DEVELOPMENT: Final = Declared("acceptance-development", "development", "10.198.0.0/16")
SUCCESSOR: Final = Declared("acceptance-successor", "development", "10.199.0.0/16")
"""Takes the place of the one before."""
ALL: Final = (PRODUCTION, CRITICAL, DEVELOPMENT, SUCCESSOR)


def make(folder: Path) -> None:
    """Clone the working tree to `folder`, with the Python environment that runs now and the stacks above."""
    shutil.copytree(REPOSITORY, folder, ignore=shutil.ignore_patterns(*NOT_CLONED))
    (folder / ".venv").symlink_to(sys.prefix)
    for stack in ALL:
        (folder / f"stacks/Pulumi.{stack.name}.yaml").write_text(
            "config:\n"
            "  kube-ha:cloud: local\n"
            f"  kube-ha:scenario: {stack.scenario}\n"
            f"  kube-ha:network: {{cidr: {stack.cidr}}}\n"
        )
