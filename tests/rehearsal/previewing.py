"""A stack previewed on the stand-ins by the real engine, without an account."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from rehearsal.project import Project
from toolchain.cache import MissingToolError, binary


def project(folder: Path, stack: str) -> Project:
    """The stack's project; the test is skipped where there is no engine."""
    try:
        binary("pulumi")
    except MissingToolError as error:
        pytest.skip(str(error))
    return Project(folder / "project", stack)


def preview(project: Project, given: Mapping[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    """What the engine says of a stack that it has not seen yet."""
    env = {**os.environ, **given}
    pulumi = [str(binary("pulumi")), "--non-interactive", "--cwd", str(project.folder)]
    subprocess.run([*pulumi, "stack", "init", project.stack], env=env, check=True, capture_output=True)
    command = [*pulumi, "preview", "--stack", project.stack, *options]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)
